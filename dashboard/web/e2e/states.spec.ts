// With nothing to show, the page says what to do.

import type { Cluster } from './support/cluster.ts';
import { post } from './support/events.ts';
import { expect, test } from './support/test.ts';

const STORES = { sqlite: 'SQLite', postgres: 'PostgreSQL' };

test('a store without rows', async ({ page, up, store }) => {
  const netqoe = await up();
  await page.goto(netqoe.origin);
  await expect(page.getByTestId('sentence')).toHaveText('There are no measurements yet.');
  await expect(page.getByRole('region', { name: 'Summary' })).toContainText(
    'netqoe probe --target https://example.com/ --endpoint',
  );
  await page.goto(`${netqoe.origin}/?view=pair&client=nobody&target=nothing`);
  await expect(page.getByRole('main')).toContainText('Choose a longer range above, or check that the client');
  await page.goto(`${netqoe.origin}/?view=client&client=nobody`);
  await expect(page.getByRole('main')).toContainText('Choose a longer range above, or look for another name');
  await page.goto(`${netqoe.origin}/?view=different`);
  await expect(page.getByRole('main')).toContainText('Mark a region of time');
  await page.goto(`${netqoe.origin}/?view=pipeline`);
  await expect(page.getByTestId('dead-letters')).toContainText('None: everything could be read.');
  await expect(page.getByTestId('state-store')).toContainText(`${STORES[store]} works`);
});

test('a store that is away', async ({ page, up, watch }) => {
  const netqoe = await up();
  await post(netqoe, [{ client_id: 'client-1', target: 'https://example.com/' }]);
  await page.goto(netqoe.origin);
  await expect(page.getByTestId('matrix')).toBeVisible();
  watch.expect(/^console: Failed to load resource: the server responded with a status of 503/);

  netqoe.sql('ALTER TABLE agg_1m RENAME TO away');
  await page.reload();
  const failures = page.getByRole('alert');
  for (const what of ['The overview', 'The matrix']) {
    const failure = failures.filter({ hasText: `${what} can’t be shown.` });
    await expect(failure).toContainText("the store can't be read; see the server's log");
    await expect(failure.getByRole('button', { name: 'Try again' })).toBeVisible();
  }

  netqoe.sql('ALTER TABLE away RENAME TO agg_1m');
  await failures.first().getByRole('button', { name: 'Try again' }).click();
  await expect(page.getByTestId('matrix')).toBeVisible();
  await expect(failures).toHaveCount(0);
});

test('a store that takes too long', async ({ page, up, store, watch }) => {
  test.skip(store === 'sqlite', 'its readers wait for nobody');
  const netqoe = (await up()) as Cluster;
  await post(netqoe, [{ client_id: 'client-1', target: 'https://example.com/' }]);
  await page.goto(`${netqoe.origin}/?range=24h`);
  await expect(page.getByTestId('matrix')).toBeVisible();
  watch.expect(/^console: Failed to load resource: the server responded with a status of 503/);

  const unlock = await netqoe.lock('agg_1m');
  await page.reload();
  const failures = page.getByRole('alert');
  for (const what of ['The overview', 'The matrix']) {
    const failure = failures.filter({ hasText: `${what} can’t be shown.` });
    await expect(failure).toContainText('It took too long to find, and was given up.');
    await expect(failure.getByRole('button', { name: 'Try again' })).toBeVisible();
  }
  await unlock();
  await failures.first().getByRole('link', { name: 'Show only the last 6 hours of it' }).click();
  await expect(page.getByTestId('matrix')).toBeVisible();
  await expect(failures).toHaveCount(0);
  await expect(page.getByTestId('range')).toHaveValue('6h');
});

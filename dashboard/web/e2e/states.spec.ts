// With nothing to show, the page says what to do.

import type { Locator, Page } from '@playwright/test';

import type { Cluster } from './support/cluster.ts';
import { post } from './support/events.ts';
import { expect, test } from './support/test.ts';

const STORES = { sqlite: 'SQLite', postgres: 'PostgreSQL' };

/** What stands where the first screen's answers would, each with this reason and a way out. */
async function firstScreenFailures(page: Page, reason: string): Promise<Locator> {
  const failures = page.getByRole('alert');
  for (const what of ['The overview', 'The matrix']) {
    const failure = failures.filter({ hasText: `${what} can’t be shown.` });
    await expect(failure).toContainText(reason);
    await expect(failure.getByRole('button', { name: 'Try again' })).toBeVisible();
  }
  return failures;
}

test('a store without rows', { tag: '@store' }, async ({ page, up, store }) => {
  const netqoe = await up();
  await page.goto(netqoe.origin);
  await expect(page.getByTestId('sentence')).toHaveText('Nothing has been measured yet');
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

test('a store that is away', { tag: '@store' }, async ({ page, up, watch }) => {
  const netqoe = await up();
  await post(netqoe, [{ client_id: 'client-1', target: 'https://example.com/' }]);
  await page.goto(netqoe.origin);
  await expect(page.getByTestId('matrix')).toBeVisible();
  watch.expect(/^console: Failed to load resource: the server responded with a status of 503/);

  netqoe.sql('ALTER TABLE agg_1m RENAME TO away');
  await page.reload();
  const failures = await firstScreenFailures(page, "the store can't be read; see the server's log");

  // Nothing is committed meanwhile, and nobody clicks.
  await expect(failures.first()).toContainText('The page asks again by itself');
  netqoe.sql('ALTER TABLE away RENAME TO agg_1m');
  await expect(page.getByTestId('matrix')).toBeVisible();
  await expect(failures).toHaveCount(0);
});

test('a store that takes too long', { tag: '@store' }, async ({ page, up, store, watch }) => {
  test.skip(store === 'sqlite', 'its readers wait for nobody');
  const netqoe = (await up()) as Cluster;
  await post(netqoe, [{ client_id: 'client-1', target: 'https://example.com/' }]);
  await page.goto(`${netqoe.origin}/?range=24h`);
  await expect(page.getByTestId('matrix')).toBeVisible();
  watch.expect(/^console: Failed to load resource: the server responded with a status of 503/);

  const unlock = await netqoe.lock('agg_1m');
  await page.reload();
  const failures = await firstScreenFailures(page, 'It took too long to find, and was given up.');
  await failures.first().getByRole('link', { name: 'Show only the last 6 hours of it' }).click();
  await unlock();
  await expect(page.getByTestId('range')).toHaveValue('6h');
  await expect(page.getByTestId('matrix')).toBeVisible();
  await expect(failures).toHaveCount(0);
});

test('a server that wants to be left alone for long can be asked all the same', async ({ page, up, watch }) => {
  const netqoe = await up();
  await post(netqoe, [{ client_id: 'client-1', target: 'https://example.com/' }]);
  watch.expect(/^console: Failed to load resource: the server responded with a status of 503/);
  let asked = 0;
  const busy = { error: 'service_unavailable', message: 'the store is busy; ask again' };
  await page.route('**/api/v1/matrix?*', (route) => {
    asked += 1;
    return asked === 1
      ? route.fulfill({ status: 503, headers: { 'retry-after': '900' }, json: busy })
      : route.continue();
  });
  await page.goto(netqoe.origin);
  const failure = page.getByRole('alert').filter({ hasText: 'The matrix can’t be shown.' });
  await expect(failure).toContainText(/the store is busy; ask again.*asks again by itself in \d{3,4} s/);
  // News do not hasten it.
  await post(netqoe, [{ client_id: 'client-2', target: 'https://example.com/' }]);
  await expect(page.getByTestId('facts')).toContainText('of 2 clients');
  expect(asked).toBe(1);
  await failure.getByRole('button', { name: 'Try again' }).click();
  await expect(page.getByTestId('matrix')).toBeVisible();
});

test('an address that is not understood is not followed in silence', async ({ page, up }) => {
  const { origin } = await up();
  await page.goto(`${origin}/?view=nope&range=99x`);
  const banner = page.getByTestId('not-understood');
  await expect(banner).toContainText('This address has parts that the page does not know: view=nope, range=99x.');
  await banner.getByRole('button', { name: 'All right' }).click();
  await expect(banner).toBeHidden();
  expect(new URL(page.url()).search).toBe('');
});

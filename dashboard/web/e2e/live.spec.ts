// What is posted is on the page without a reload, and the page outlives its server. How soon: bench/live.bench.ts.

import type { Page } from '@playwright/test';

import { post } from './support/events.ts';
import { expect, test } from './support/test.ts';

/** Each is another commit, which the page has to hear of by itself. */
const ROUNDS = 3;

/** How the page says that so many clients are measured. */
const measured = (page: Page, clients: number) =>
  page.getByTestId('facts').getByText(`of ${clients} ${clients === 1 ? 'client' : 'clients'} and`);

const pairOf = (number: number) => ({ client_id: `client-${number}`, target: 'https://example.com/' });

async function staysLoaded(page: Page): Promise<() => Promise<void>> {
  await page.evaluate(() => Object.assign(globalThis, { loadedOnce: true }));
  return async () => expect(await page.evaluate(() => 'loadedOnce' in globalThis), 'no reload').toBe(true);
}

test('a new event is on the page without a reload', { tag: '@store' }, async ({ page, up }) => {
  const netqoe = await up();
  await post(netqoe, [pairOf(0)]);
  await page.goto(netqoe.origin);
  await expect(measured(page, 1)).toBeVisible();
  const stillLoaded = await staysLoaded(page);

  for (let round = 1; round <= ROUNDS; round++) {
    await post(netqoe, [pairOf(round)]);
    await expect(measured(page, 1 + round)).toBeVisible();
  }
  await stillLoaded();
});

test('the page says that its server is away, and recovers', { tag: '@store' }, async ({ page, up, watch }) => {
  const netqoe = await up();
  await post(netqoe, [pairOf(0)]);
  await page.goto(netqoe.origin);
  await expect(measured(page, 1)).toBeVisible();
  const stillLoaded = await staysLoaded(page);

  // Of a server that is away the browser's own console tells, whatever the page does.
  watch.expect(/^console: Failed to load resource: net::ERR_/);
  await netqoe.stop();
  const banner = page.getByTestId('reconnect');
  await expect(banner).toContainText('No connection to netqoe');
  await expect(banner).toContainText(/What you see is \d+(\.\d)? s old/);
  await expect(measured(page, 1)).toBeVisible();

  await netqoe.start();
  await expect(banner).toHaveCount(0);
  await post(netqoe, [pairOf(1)]);
  await expect(measured(page, 2)).toBeVisible();
  await expect(page.getByTestId('link')).toHaveText('Updates: live');
  await stillLoaded();
});

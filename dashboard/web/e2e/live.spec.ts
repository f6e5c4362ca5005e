// What is posted is on the page without a reload, and soon; and the page outlives its server.

import type { Page } from '@playwright/test';

import { answers } from './support/api.ts';
import { post } from './support/events.ts';
import type { Netqoe } from './support/netqoe.ts';
import { expect, test } from './support/test.ts';

const ROUNDS = 8;
/** What the page promises, from the post on. */
const PROMISED_MS = 1_000;
/** A round in which a post and a query take longer, just before or just after, says nothing of the page, and is repeated. */
const STARVED_MS = 100;
/** So many rounds at most. */
const MOST_ROUNDS = 100;
/** After this nothing is under way any more. */
const SETTLED_MS = 1_500;

/** How the page says that so many clients are measured. */
const saysOf = (clients: number) => `of ${clients} ${clients === 1 ? 'client' : 'clients'} and`;
const measured = (page: Page, clients: number) => page.getByTestId('facts').getByText(saysOf(clients));

const pairOf = (number: number) => ({ client_id: `client-${number}`, target: 'https://example.com/' });

/** Milliseconds from a post until somebody sees it. */
async function delay(netqoe: Netqoe, number: number, seen: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await post(netqoe, [pairOf(number)]);
  await seen();
  return performance.now() - began;
}

async function staysLoaded(page: Page): Promise<() => Promise<void>> {
  await page.evaluate(() => Object.assign(globalThis, { loadedOnce: true }));
  return async () => expect(await page.evaluate(() => 'loadedOnce' in globalThis), 'no reload').toBe(true);
}

test('a new event is seen within a second', { tag: '@store' }, async ({ page, up }) => {
  const netqoe = await up();
  await post(netqoe, [pairOf(0)]);
  await page.goto(netqoe.origin);
  await expect(measured(page, 1)).toBeVisible();
  const stillLoaded = await staysLoaded(page);

  await page.waitForTimeout(SETTLED_MS);
  let posted = 0;
  const onPage = () => {
    const text = saysOf(++posted + 1);
    const seen = () =>
      page.waitForFunction((text) => document.querySelector('[data-testid=facts]')?.textContent?.includes(text), text, {
        polling: 'raf',
      });
    return delay(netqoe, posted, seen);
  };
  const byApi = () => {
    const query = { client_id: pairOf(++posted).client_id };
    const answered = async () => {
      while ((await answers.aggregates(netqoe, query)).items.length === 0);
    };
    return delay(netqoe, posted, answered);
  };
  const delays: number[] = [];
  for (let round = 1; delays.length < ROUNDS && round <= MOST_ROUNDS; round++) {
    const before = await byApi();
    // Not in step with what the page does each half second.
    await page.waitForTimeout(700 + 90 * (round % ROUNDS));
    const shown = await onPage();
    const after = await byApi();
    const starved = Math.max(before, after) > STARVED_MS;
    const [apiMs, pageMs] = [[before, after], [shown]].map((all) => all.map((ms) => ms.toFixed(0)).join(' and '));
    console.log(
      `from a post until the API has it ${apiMs} ms, until it is on the page ${pageMs} ms${starved ? ', repeated' : ''}`,
    );
    if (!starved) delays.push(shown);
  }
  expect(delays, `rounds of ${MOST_ROUNDS} in which the machine was not too busy`).toHaveLength(ROUNDS);
  expect(Math.max(...delays)).toBeLessThan(PROMISED_MS);
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

// How soon an event that is posted is on the page, beside how soon the API answers with it.

import { answers } from '../support/api.ts';
import { post } from '../support/events.ts';
import { expect, test } from '../support/test.ts';

const ROUNDS = 20;
/** What docs/page.md promises, from the post on. */
const PROMISED_MS = 1_000;

test('a new event', async ({ page, up }) => {
  const netqoe = await up();
  const pair = (number: number) => ({ client_id: `client-${number}`, target: 'https://example.com/' });
  let posted = 0;
  /** Milliseconds from a post until it is seen. */
  const delay = async (seen: () => Promise<unknown>): Promise<number> => {
    const began = performance.now();
    await post(netqoe, [pair(++posted)]);
    await seen();
    return performance.now() - began;
  };
  const answered = async () => {
    while ((await answers.aggregates(netqoe, { client_id: pair(posted).client_id })).items.length === 0);
  };
  const shown = () =>
    page.waitForFunction(
      (clients) => document.querySelector('[data-testid=facts]')?.textContent?.includes(`of ${clients} clients`),
      posted,
      { polling: 'raf' },
    );
  await delay(answered);
  await page.goto(netqoe.origin);
  await delay(shown);

  const [api, screen]: [number[], number[]] = [[], []];
  for (let round = 0; round < ROUNDS; round++) {
    api.push(await delay(answered));
    // Not in step with what the page does each half second.
    await page.waitForTimeout(700 + 90 * round);
    screen.push(await delay(shown));
  }
  console.log(`\n| from a post until | median, ms | longest of ${ROUNDS}, ms |`);
  console.log('| --- | --- | --- |');
  for (const [what, all] of [
    ['the API answers with it', api],
    ['it is on the page', screen],
  ] as const) {
    all.sort((a, b) => a - b);
    console.log(`| ${what} | ${(all[ROUNDS >> 1] ?? 0).toFixed(0)} | ${(all.at(-1) ?? 0).toFixed(0)} |`);
  }
  expect(screen[ROUNDS >> 1], 'median until it is on the page').toBeLessThan(PROMISED_MS);
});

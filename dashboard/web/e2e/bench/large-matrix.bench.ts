// A matrix of 2,000 × 200: how long it blocks the page while it is scrolled, pointed at, and gets new data.

import type { Page } from '@playwright/test';

import { answers } from '../support/api.ts';
import { post } from '../support/events.ts';
import { expect, test } from '../support/test.ts';

const CLIENTS = 2_000;
const TARGETS = 200;
const CLIENTS_A_POST = 5;
/** One pair of so many fails: error-bound needs no past. */
const ONE_FAILS_OF = 17;
const STEPS = 100;
const COMMITS = 8;
/** Longest tasks are told from here on; the browser's own limit. */
const TOLD_MS = 50;

const measured = (client: number, target: number) => ({
  client_id: `client-${String(client).padStart(5, '0')}`,
  target: `https://t-${String(target).padStart(3, '0')}.example/`,
  isp: ['Northline', 'Fjordnet', 'Cablecore', 'Skymobile'][client % 4] as string,
  error_stage: (client * TARGETS + target) % ONE_FAILS_OF === 0 ? ('http' as const) : null,
});

test('large matrix', async ({ page, up }) => {
  const netqoe = await up('--rate', '1000000', '--rate-burst', '1000000');
  const targets = Array.from({ length: TARGETS }, (_, target) => target);
  for (let client = 0; client < CLIENTS; client += CLIENTS_A_POST) {
    const clients = Array.from({ length: CLIENTS_A_POST }, (_, number) => client + number);
    await post(
      netqoe,
      clients.flatMap((client) => targets.map((target) => measured(client, target))),
    );
  }
  await expect
    .poll(async () => (await answers.overview(netqoe)).pairs.total, { timeout: 10 * 60_000 })
    .toBe(CLIENTS * TARGETS);

  await page.addInitScript(() => {
    const tasks: number[] = [];
    Object.assign(globalThis, { tasks });
    new PerformanceObserver((list) => tasks.push(...list.getEntries().map(({ duration }) => duration))).observe({
      type: 'longtask',
      buffered: true,
    });
  });
  await page.goto(netqoe.origin);
  const matrix = page.getByTestId('matrix');
  await expect(matrix).toBeVisible();
  await page.waitForTimeout(2_000);
  const box = await matrix.boundingBox();
  if (!box) throw new Error('the matrix has no place');

  console.log('\n| what happens | tasks over 50 ms | longest, ms |\n| --- | --- | --- |');
  const loading = await tasksOf(page);
  print('first load', loading);
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  for (let step = 0; step < STEPS; step++) await page.mouse.wheel(step % 2 ? 0 : 35, 120);
  print(`${STEPS} steps of the wheel`, await tasksOf(page));
  for (let step = 0; step < STEPS; step++) {
    await page.mouse.move(box.x + (box.width * (step % 10)) / 10, box.y + (box.height * step) / STEPS);
  }
  print(`the mouse at ${STEPS} cells`, await tasksOf(page));
  for (let commit = 0; commit < COMMITS; commit++) {
    const answered = page.waitForResponse((response) => response.url().includes('/api/v1/matrix'));
    await post(netqoe, [measured(commit, commit)]);
    await (await answered).finished();
    await page.waitForTimeout(1_000);
  }
  print(`${COMMITS} commits`, await tasksOf(page));
});

/** The long tasks since it was asked before. */
async function tasksOf(page: Page): Promise<number[]> {
  // Tasks are told of a moment after they have ended.
  await page.waitForTimeout(500);
  return page.evaluate(() => (globalThis as unknown as { tasks: number[] }).tasks.splice(0));
}

function print(what: string, tasks: number[]): void {
  const longest = tasks.length === 0 ? `under ${TOLD_MS}` : Math.max(...tasks).toFixed(0);
  console.log(`| ${what} | ${tasks.length} | ${longest} |`);
}

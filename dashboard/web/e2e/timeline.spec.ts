// The first screen's time axis: what was degraded when, and the way there.

import type { Page } from '@playwright/test';

import type { Bounds } from '../src/api/client.ts';
import type { Label } from '../src/api/types.ts';
import { answers } from './support/api.ts';
import { CLIENTS, faultsOf, slowServerOf, within, type Fault } from './support/faults.ts';
import type { Netqoe } from './support/netqoe.ts';
import { drag, pointOf } from './support/plot.ts';
import { expect, test } from './support/test.ts';

const MINUTE_MS = 60_000;

/** From before the first fault until the last one is named. */
function rangeOf(faults: Fault[]): Bounds {
  const [first, last] = [faults[0] as Fault, faults.at(-1) as Fault];
  return { from: first.from - 5 * MINUTE_MS, to: within(last).to };
}

async function stripOf(page: Page, { origin }: Netqoe, range: Bounds, more = {}) {
  const query = { from: range.from, to: range.to, ...more };
  await page.goto(
    `${origin}/?${new URLSearchParams(Object.entries(query).map(([name, value]) => [name, `${value}`]))}`,
  );
  const strip = page.getByTestId('chart').filter({ hasText: 'Degraded pairs over time' });
  await expect(strip).toBeVisible();
  return { strip, plot: strip.getByRole('slider') };
}

test('each planted fault is in the strip, with the figures of the API', { tag: '@store' }, async ({ page, demo }) => {
  const faults = await faultsOf(demo);
  const range = rangeOf(faults);
  const timeline = await answers.timeline(demo, range);
  expect(timeline.point_ms).toBe(MINUTE_MS);
  for (const { label, from, pairs } of faults) {
    const middle = timeline.start.indexOf(from + 3 * MINUTE_MS);
    expect(timeline.degraded[label]?.[middle], `${label} in its fourth minute`).toBe(pairs);
  }

  const { strip, plot } = await stripOf(page, demo, range, { tables: 1 });
  const table = strip.getByTestId('chart-table');
  const labels = (await table.locator('thead th').allTextContents()).slice(2) as Label[];
  expect([...labels].sort()).toEqual(Object.keys(timeline.degraded).sort());
  const rows = table.locator('tbody tr');
  await expect(rows).toHaveCount(timeline.start.length);
  for (const [index, start] of timeline.start.entries()) {
    const row = rows.nth(index);
    expect(Date.parse((await row.locator('time').getAttribute('datetime')) ?? '')).toBe(start);
    const cells = (await row.locator('td').allTextContents()).map(Number);
    expect(cells).toEqual([timeline.pairs[index], ...labels.map((label) => timeline.degraded[label]?.[index])]);
  }

  const { label, from } = await slowServerOf(demo);
  const place = await pointOf(plot, from + 4.5 * MINUTE_MS);
  await page.mouse.move(place.x, place.y);
  await expect(strip.locator('.reading').filter({ hasText: label })).toContainText(`${label} ${CLIENTS}`);
  await page.mouse.move(place.x, 0);
  const quiet = await pointOf(plot, (faults[0] as Fault).from - 2 * MINUTE_MS);
  await page.mouse.move(quiet.x, quiet.y);
  await expect(strip.locator('.readings')).toHaveText('no pair degraded');
});

test('a click shows how it was then, and the way back leads to now', async ({ page, demo }) => {
  const faults = await faultsOf(demo);
  const range = rangeOf(faults);
  const fault = await slowServerOf(demo);
  const { plot } = await stripOf(page, demo, range);
  const { x, y } = await pointOf(plot, fault.from + 4.5 * MINUTE_MS);
  await page.mouse.click(x, y);
  await expect(page.getByTestId('sentence')).toContainText(fault.target);
  const shown = new URL(page.url()).searchParams;
  const to = fault.from + 5 * MINUTE_MS;
  expect([shown.get('from'), shown.get('to')].map(Number)).toEqual([to - (range.to - range.from), to]);
  await page.getByRole('button', { name: 'Back to now' }).click();
  await expect(page.getByRole('button', { name: 'Back to now' })).toHaveCount(0);
  expect(new URL(page.url()).searchParams.has('to')).toBe(false);
});

test('a drag marks a region, in which the planted target stands out', async ({ page, demo }) => {
  const faults = await faultsOf(demo);
  const fault = await slowServerOf(demo);
  const { plot } = await stripOf(page, demo, rangeOf(faults));
  await drag(plot, fault.from + 0.4 * MINUTE_MS, fault.to - 0.4 * MINUTE_MS);
  const marked = new URL(page.url()).searchParams;
  expect([marked.get('inside_from'), marked.get('inside_to')].map(Number)).toEqual([fault.from, fault.to]);
  await page.getByTestId('mark-bar').getByRole('button', { name: 'What is different' }).click();
  await expect(page.getByTestId('different-sentence')).toContainText(new URL(fault.target).host);
});

test('the same click by keyboard', async ({ page, demo }) => {
  const fault = await slowServerOf(demo);
  const to = fault.from + 5 * MINUTE_MS;
  const { plot } = await stripOf(page, demo, { from: fault.from - 5 * MINUTE_MS, to: to + MINUTE_MS });
  await plot.focus();
  await page.keyboard.press('End');
  await page.keyboard.press('ArrowLeft');
  await expect(plot).toHaveAttribute('aria-valuetext', new RegExp(`${fault.label} ${CLIENTS}`));
  await page.keyboard.press('Enter');
  await expect(page.getByTestId('sentence')).toContainText(fault.target);
  await expect.poll(() => Number(new URL(page.url()).searchParams.get('to'))).toBe(to);
});

test('where nothing was degraded, the strip says so', { tag: '@store' }, async ({ page, demo }) => {
  const first = (await faultsOf(demo))[0] as Fault;
  const { strip } = await stripOf(page, demo, { from: first.from - 6 * MINUTE_MS, to: first.from });
  await expect(strip.locator('.readings')).toHaveText('no pair was degraded in this range');
});

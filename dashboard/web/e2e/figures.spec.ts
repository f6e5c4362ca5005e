// The figures on the page are those of the API.

import type { Locator } from '@playwright/test';

import type { Values } from '../src/api/types.ts';
import { answers } from './support/api.ts';
import { slowServerOf } from './support/faults.ts';
import { expect, test } from './support/test.ts';

const CLIENT = 'demo-07';

/** The page shows three significant digits, or whole numbers: so far may a figure be from what it stands for. */
const ROUNDING = 0.006;

/** `412 ms`, `1,034 Mbit/s`, `10.2 s`; null for the dash that stands for nothing. */
function figureOf(text: string | undefined): number | null {
  const [, number = '', unit] = /^([\d,.]+)(?: (\S+))?$/.exec(text?.trim() ?? '') ?? [];
  if (number === '') return text?.trim() === '–' ? null : Number.NaN;
  return Number(number.replaceAll(',', '')) * (unit === 's' ? 1_000 : 1);
}

function expectFigure(text: string | undefined, value: number | null | undefined, what: string): void {
  const shown = figureOf(text);
  if (shown === null || value === null || value === undefined) expect(shown, what).toBe(value ?? null);
  else expect(Math.abs(shown - value), `${what}: ${text} for ${value}`).toBeLessThanOrEqual(value * ROUNDING);
}

/** The table behind a chart: its head, and its cells row by row. */
async function cellsOf(chart: Locator): Promise<{ head: string[]; times: string[]; rows: string[][] }> {
  const table = chart.getByTestId('chart-table');
  const head = await table.locator('thead th').allTextContents();
  const times = await table
    .locator('tbody time')
    .evaluateAll((all) => all.map((time) => (time as HTMLTimeElement).dateTime));
  const rows = await table
    .locator('tbody tr')
    .evaluateAll((all) => all.map((row) => Array.from(row.children, (cell) => cell.textContent ?? '')));
  return { head, times, rows };
}

test('a pair: its newest row, its tables, its evidence', { tag: '@store' }, async ({ page, demo }) => {
  const fault = await slowServerOf(demo);
  // Past and final: neither the answer nor the page changes any more.
  const range = { from: fault.from - 6 * 60_000, to: fault.to };
  const series = await answers.series(demo, CLIENT, fault.target, range);
  expect(series.start.length).toBe((range.to - range.from) / 60_000);
  const query = new URLSearchParams({ view: 'pair', client: CLIENT, target: fault.target, tables: '1' });
  await page.goto(`${demo.origin}/?${query}&from=${range.from}&to=${range.to}`);

  const smoke = page.getByTestId('chart').filter({ hasText: 'TTFB, median to 95th percentile' });
  await expect(smoke.getByTestId('chart-table')).toBeVisible();
  const { head, times, rows } = await cellsOf(smoke);
  expect(times.map((time) => Date.parse(time))).toEqual(series.start);
  const columns: [string, (number | null)[]][] = [
    ['p50', series.p50.ttfb],
    ['p95', series.p95.ttfb],
  ];
  for (const [name, values] of columns) {
    const at = head.indexOf(name);
    expect(at, name).toBeGreaterThan(0);
    rows.forEach((row, index) => expectFigure(row[at], values[index], `${name} of row ${index}`));
  }

  const failed = head.indexOf('Failed');
  rows.forEach((row, index) => {
    expect(row[failed]).toMatch(new RegExp(`^${series.count_error[index]} of ${series.count_total[index]}\\b`));
  });

  const last = series.start.length - 1;
  for (const [name, values] of [
    ['p50', series.p50.ttfb],
    ['p95', series.p95.ttfb],
  ] as [string, Values][]) {
    const reading = smoke.locator('.reading').filter({ hasText: new RegExp(`^${name} [\\d,.]`) });
    expectFigure((await reading.locator('strong').textContent()) ?? '', values[last], `newest ${name}`);
  }

  const phases = await cellsOf(page.getByTestId('chart').nth(2));
  for (const phase of ['dns', 'tcp', 'tls', 'ttfb'] as const) {
    const at = phases.head.findIndex((name) => name.toLowerCase().startsWith(phase));
    expect(at, phase).toBeGreaterThan(0);
    phases.rows.forEach((row, index) => expectFigure(row[at], series.p50[phase][index], `${phase} of row ${index}`));
  }

  const evidence = page.getByTestId('evidence').locator('tbody tr');
  await expect(evidence.first()).toBeVisible();
  await showAll(page.locator('#evidence'));
  await expect(evidence).toHaveCount(series.diagnoses.length);
  const { items } = await answers.diagnoses(demo, { client_id: CLIENT, target: fault.target, ...range });
  expect(items.length).toBeGreaterThan(0);
  for (const [index, { label, severity, evidence: found }] of items.entries()) {
    const row = evidence.nth(index);
    await expect(row).toContainText(label);
    await expect(row).toContainText(severity);
    await expect(row).toContainText(`${found.bad_samples} of ${found.samples} measurement`);
    if (label !== 'server-bound') continue;
    const observed = /first byte ([\d,.]+ m?s)/.exec((await row.textContent()) ?? '')?.[1];
    expectFigure(observed, found.observed, `evidence ${index}`);
  }

  const runs = page.getByTestId('runs').locator('tbody tr');
  await showAll(page.getByRole('region', { name: 'Runs', exact: true }));
  const { items: told } = await answers.runs(demo, { client_id: CLIENT, target: fault.target, ...range });
  await expect(runs).toHaveCount(told.length);
  for (const [index, { label, severity, since, windows }] of told.entries()) {
    await expect(runs.nth(index)).toContainText(label);
    await expect(runs.nth(index)).toContainText(severity);
    const began = (await runs.nth(index).locator('time').first().getAttribute('datetime')) ?? '';
    expect(Date.parse(began)).toBe(since);
    const inRange = items.filter((found) => found.label === label && found.evidence.since === since);
    await runs
      .nth(index)
      .getByRole('button', { name: `${windows} window` })
      .click();
    await expect(evidence).toHaveCount(inRange.length);
    await page.getByRole('button', { name: 'Show those of all runs' }).click();
    await expect(evidence).toHaveCount(series.diagnoses.length);
  }
});

/** A long list shows its first items. */
async function showAll(list: Locator): Promise<void> {
  const all = list.getByRole('button', { name: /^Show all/ });
  if (await all.isVisible()) await all.click();
}

test('an axis that does not begin at 0 says so', async ({ page, demo }) => {
  const fault = await slowServerOf(demo);
  const query = new URLSearchParams({ view: 'pair', client: CLIENT, target: fault.target, phase: 'ttfb' });
  const open = (from: number, to: number) => page.goto(`${demo.origin}/?${query}&from=${from}&to=${to}`);
  const smoke = page.getByTestId('chart').filter({ hasText: 'TTFB, median to 95th percentile' });
  const note = smoke.getByText(/^axis cut: it starts at [\d.]+ ms$/);
  await open(fault.from - 6 * 60_000, fault.from);
  await expect(note).toBeVisible();
  await expect(smoke.locator('.axis-cut')).toBeVisible();
  // What a fault adds is shown against all of the usual.
  await open(fault.from - 6 * 60_000, fault.to);
  await expect(smoke).toBeVisible();
  await expect(note).toHaveCount(0);
});

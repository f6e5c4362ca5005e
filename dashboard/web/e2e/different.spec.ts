// A marked region leads to its cause.

import type { Page } from '@playwright/test';

import type { Overview } from '../src/api/types.ts';
import { answers } from './support/api.ts';
import { graveFindings } from './support/axe.ts';
import { post } from './support/events.ts';
import { slowServerOf, type SlowServer } from './support/faults.ts';
import { drag } from './support/plot.ts';
import { expect, test } from './support/test.ts';
import { fits } from './support/width.ts';

const CLIENT = 'demo-07';

const MINUTE_MS = 60_000;

test('a region marked with the mouse: the planted target stands out', { tag: '@store' }, async ({ page, demo }) => {
  const fault = await slowServerOf(demo);
  const range = { from: fault.from - 5 * MINUTE_MS, to: fault.to + MINUTE_MS };
  const query = new URLSearchParams({ view: 'pair', client: CLIENT, target: fault.target });
  await page.goto(`${demo.origin}/?${query}&from=${range.from}&to=${range.to}`);
  const plot = page.getByTestId('chart').nth(1).getByRole('slider');
  await expect(plot).toBeVisible();
  await drag(plot, fault.from + 0.4 * MINUTE_MS, fault.to - 0.4 * MINUTE_MS);
  await expect(page.getByTestId('mark-bar')).toBeVisible();
  const marked = new URL(page.url()).searchParams;
  expect([marked.get('inside_from'), marked.get('inside_to')].map(Number)).toEqual([fault.from, fault.to]);
  expect(marked.has('measure'), 'a mark along the time is one of time only').toBe(false);

  await page.getByTestId('mark-bar').getByRole('button', { name: 'What is different' }).click();
  await standsOut(page, fault);
});

test('a rectangle marks values as well: windows that have them are compared', async ({ page, demo }) => {
  const fault = await slowServerOf(demo);
  const range = { from: fault.from - 5 * MINUTE_MS, to: fault.to + MINUTE_MS };
  const query = new URLSearchParams({ view: 'pair', client: CLIENT, target: fault.target });
  await page.goto(`${demo.origin}/?${query}&from=${range.from}&to=${range.to}`);
  const plot = page.getByTestId('chart').nth(1).getByRole('slider');
  await expect(plot).toBeVisible();
  // Backwards, from the top edge down to the middle: what is fast is left out.
  await drag(plot, fault.to - 0.4 * MINUTE_MS, fault.from + 0.4 * MINUTE_MS, [0.01, 0.5]);
  const marked = new URL(page.url()).searchParams;
  expect([marked.get('inside_from'), marked.get('inside_to')].map(Number)).toEqual([fault.from, fault.to]);
  expect([marked.get('measure'), marked.has('max')]).toEqual(['ttfb_p95', false]);
  const { start, p95 } = await answers.series(demo, CLIENT, fault.target, range);
  const [during, before] = [true, false].map((is) =>
    p95.ttfb.filter((_, index) => (start[index] ?? 0) >= fault.from === is).map(Number),
  ) as [number[], number[]];
  const min = Number(marked.get('min'));
  expect(min).toBeLessThan(during[0] as number);
  expect(min).toBeGreaterThan(before[0] as number);
  // A rectangle over the axis that has these values, the time alone over the others.
  await expect(page.locator('.mark-area')).toHaveCount(4);
  await expect(page.locator('.mark-area.bounded')).toHaveCount(1);
  await expect(page.getByTestId('mark-bar')).toContainText(/TTFB p95 of at least [\d,.]+ ms/);

  await page.getByTestId('mark-bar').getByRole('button', { name: 'What is different' }).click();
  await standsOut(page, fault);
  const asked = { inside_from: fault.from, inside_to: fault.to, metric: 'ttfb_p95', min };
  const { inside } = await answers.different(demo, { ...range, ...asked });
  expect(inside.matching).toBeGreaterThan(0);
  await expect(page.getByTestId('different-sentence')).toContainText(
    `${inside.matching} of ${inside.windows.toLocaleString('en')} windows`,
  );
  await expect(page.getByLabel('from (ms)')).toHaveValue(String(min));
  await expect(page.getByLabel('to (ms)')).toHaveValue('');
});

test('a region can be marked on the small charts, too', async ({ page, demo }) => {
  const fault = await slowServerOf(demo);
  const query = new URLSearchParams({ view: 'target', target: fault.target });
  await page.goto(`${demo.origin}/?${query}&from=${fault.from}&to=${fault.from + 10 * MINUTE_MS}`);
  const spark = page.getByTestId('pairs').getByRole('img').first();
  await expect(spark).toBeVisible();
  await spark.scrollIntoViewIfNeeded();
  const box = await spark.boundingBox();
  if (!box) throw new Error('the small chart has no place');
  const y = box.y + box.height / 2;
  await page.mouse.move(box.x + 0.13 * box.width, y);
  await page.mouse.down();
  await page.mouse.move(box.x + 0.37 * box.width, y, { steps: 5 });
  await page.mouse.up();
  await expect(page.getByTestId('mark-bar')).toBeVisible();
  const marked = new URL(page.url()).searchParams;
  expect([marked.get('inside_from'), marked.get('inside_to')].map(Number)).toEqual(
    [1, 4].map((minutes) => fault.from + minutes * MINUTE_MS),
  );
});

test('the same by keyboard', { tag: '@store' }, async ({ page, demo }) => {
  const fault = await slowServerOf(demo);
  const query = new URLSearchParams({ view: 'pair', client: CLIENT, target: fault.target });
  await page.goto(`${demo.origin}/?${query}&from=${fault.from - 5 * MINUTE_MS}&to=${fault.to}`);
  const plot = page.getByTestId('chart').nth(1).getByRole('slider');
  await plot.focus();
  await page.keyboard.press('End');
  await page.keyboard.press('Shift+ArrowLeft');
  await page.keyboard.press('Shift+ArrowLeft');
  await expect(page.getByTestId('mark-bar')).toBeVisible();
  await page.keyboard.press('Enter');
  await standsOut(page, fault);
});

async function standsOut(page: Page, { target }: SlowServer): Promise<void> {
  await expect(page.getByTestId('different-sentence')).toContainText(new URL(target).host);
  const dimensions = page.locator('[data-testid^=dimension-]');
  // Client, target, provider, network type and site.
  await expect(dimensions).toHaveCount(5);
  const first = dimensions.first();
  await expect(first).toHaveAttribute('data-testid', 'dimension-target');
  await expect(first.locator('tbody tr').first()).toContainText(new URL(target).host);
}

test('where nothing is marked, the present fault is compared with the hour before', async ({ page, demo }) => {
  const fault = await slowServerOf(demo);
  // Whether a fault goes on depends on when this runs: the answer says so here.
  await page.route('**/api/v1/overview?*', async (route) => {
    const response = await route.fetch();
    const overview = (await response.json()) as Overview;
    const sentence = { ...overview.sentence, severity: 'major', since: fault.from };
    await route.fulfill({ response, json: { ...overview, sentence } });
  });
  const asked = page.waitForRequest((request) => request.url().includes('/api/v1/different?'));
  await page.goto(`${demo.origin}/?${new URLSearchParams({ view: 'different', target: fault.target })}`);
  await expect(page.getByTestId('present-fault')).toBeVisible();
  const query = new URL((await asked).url()).searchParams;
  expect(Number(query.get('inside_from'))).toBe(fault.from);
  expect(Number(query.get('from'))).toBe(fault.from - 60 * MINUTE_MS);
  await expect(page.getByTestId('different-sentence')).toContainText('are degraded');
  await expect(page.getByTestId('measured-sentence')).toBeVisible();
  // The page goes on asking, and the test does not wait for the last answer.
  await page.unrouteAll({ behavior: 'ignoreErrors' });
});

test('where nothing is marked and nothing hurts, the page says what to do', async ({ page, up }) => {
  const netqoe = await up();
  await page.goto(`${netqoe.origin}/?view=different`);
  await expect(page.locator('main')).toContainText('Nothing is degraded now. Mark a region');
});

test('what single measurements carry is compared as well', async ({ page, up }) => {
  const netqoe = await up();
  const now = Date.now();
  const measured = (status: number, ts_ms: number) => ({
    client_id: 'probe-1',
    target: 'https://example.com/',
    ts_ms,
    evidence: { status, ip_version: 4, peer: '<b>192.0.2.1</b>' },
  });
  const before = now - 2 * MINUTE_MS;
  await post(netqoe, [measured(200, before), measured(200, before), measured(503, now), measured(503, now)]);
  const region = { inside_from: String(now - MINUTE_MS), inside_to: String(now + MINUTE_MS) };
  await page.goto(`${netqoe.origin}/?${new URLSearchParams({ view: 'different', ...region })}`);
  await expect(page.getByTestId('measured-sentence')).toHaveText(
    'Among 2 measurements inside and 2 measurements outside, what differs most is the status 503: 100 % inside, 0 % outside.',
  );
  await expect(page.getByTestId('measured-address')).toContainText('<b>192.0.2.1</b>');
  for (const [colorScheme, width] of [
    ['light', 360],
    ['dark', 1280],
  ] as const) {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width, height: 740 });
    await expect(page.locator('html')).toHaveAttribute('data-scheme', colorScheme);
    expect.soft(await graveFindings(page), colorScheme).toEqual([]);
    await fits(page, width);
  }
});

// A marked region leads to its cause.

import type { Locator, Page } from '@playwright/test';

import { faultsOf, type Fault } from './support/faults.ts';
import { expect, test } from './support/test.ts';

const CLIENT = 'demo-07';
type Box = { x: number; y: number; width: number; height: number };

const MINUTE_MS = 60_000;

test('a region marked with the mouse: the planted target stands out', async ({ page, demo }) => {
  for (const fault of (await faultsOf(demo)).slice(0, 3)) {
    const range = { from: fault.from - 5 * MINUTE_MS, to: fault.to + MINUTE_MS };
    await page.goto(
      `${demo.origin}/?${new URLSearchParams({ view: 'pair', client: CLIENT, target: fault.target })}&from=${range.from}&to=${range.to}`,
    );
    const plot = page.getByTestId('chart').nth(1).getByRole('slider');
    await expect(plot).toBeVisible();
    await plot.scrollIntoViewIfNeeded();
    const box = await plot.boundingBox();
    if (!box) throw new Error('the plot has no place');
    const [from, to] = [
      await pointOf(plot, box, fault.from + 0.4 * MINUTE_MS),
      await pointOf(plot, box, fault.to - 0.4 * MINUTE_MS),
    ];
    await page.mouse.move(from.x, from.y);
    await page.mouse.down();
    await page.mouse.move(to.x, to.y, { steps: 5 });
    await page.mouse.up();
    await expect(page.getByTestId('mark-bar')).toBeVisible();
    const marked = new URL(page.url()).searchParams;
    expect([marked.get('inside_from'), marked.get('inside_to')].map(Number)).toEqual([fault.from, fault.to]);

    await page.getByTestId('mark-bar').getByRole('button', { name: 'What is different' }).click();
    await standsOut(page, fault);
  }
});

test('the same by keyboard', async ({ page, demo }) => {
  const fault = (await faultsOf(demo))[2] as Fault;
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

/** Where a time is in a plot: its crosshair says which time is under the mouse. */
async function pointOf(plot: Locator, box: Box, time: number): Promise<{ x: number; y: number }> {
  const y = box.y + box.height / 2;
  let [low, high] = [box.x, box.x + box.width - 1];
  while (high - low > 1) {
    const middle = (low + high) / 2;
    await plot.page().mouse.move(middle, y);
    if (Number(await plot.getAttribute('aria-valuenow')) < time) low = middle;
    else high = middle;
  }
  return { x: high, y };
}

async function standsOut(page: Page, { target }: Fault): Promise<void> {
  await expect(page.getByTestId('different-sentence')).toContainText(new URL(target).host);
  const dimensions = page.locator('[data-testid^=dimension-]');
  await expect(dimensions).toHaveCount(4);
  const first = dimensions.first();
  await expect(first).toHaveAttribute('data-testid', 'dimension-target');
  await expect(first.locator('tbody tr').first()).toContainText(new URL(target).host);
}

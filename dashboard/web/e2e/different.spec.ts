// A marked region leads to its cause.

import type { Page } from '@playwright/test';

import { faultsOf, type Fault } from './support/faults.ts';
import { drag } from './support/plot.ts';
import { expect, test } from './support/test.ts';

const CLIENT = 'demo-07';

const MINUTE_MS = 60_000;

test('a region marked with the mouse: the planted target stands out', async ({ page, demo }) => {
  for (const fault of (await faultsOf(demo)).slice(0, 3)) {
    const range = { from: fault.from - 5 * MINUTE_MS, to: fault.to + MINUTE_MS };
    await page.goto(
      `${demo.origin}/?${new URLSearchParams({ view: 'pair', client: CLIENT, target: fault.target })}&from=${range.from}&to=${range.to}`,
    );
    const plot = page.getByTestId('chart').nth(1).getByRole('slider');
    await expect(plot).toBeVisible();
    await drag(plot, fault.from + 0.4 * MINUTE_MS, fault.to - 0.4 * MINUTE_MS);
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

async function standsOut(page: Page, { target }: Fault): Promise<void> {
  await expect(page.getByTestId('different-sentence')).toContainText(new URL(target).host);
  const dimensions = page.locator('[data-testid^=dimension-]');
  await expect(dimensions).toHaveCount(4);
  const first = dimensions.first();
  await expect(first).toHaveAttribute('data-testid', 'dimension-target');
  await expect(first.locator('tbody tr').first()).toContainText(new URL(target).host);
}

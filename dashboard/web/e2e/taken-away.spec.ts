// What is taken away from the page: a table as CSV, a chart as PNG, a link.

import { readFile } from 'node:fs/promises';

import type { Download, Page } from '@playwright/test';

import { expect, test } from './support/test.ts';

test.use({ permissions: ['clipboard-read', 'clipboard-write'] });

async function saved(page: Page, button: string): Promise<Download> {
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: button, exact: true }).click(),
  ]);
  return download;
}

test('a table is saved as CSV, a chart as PNG, and a link shows the same range later', async ({ page, demo }) => {
  await page.goto(`${demo.origin}/?tables=1`);
  const rows = page.getByRole('region', { name: 'Degraded pairs of the matrix: table' }).locator('tbody tr');
  await expect(rows).not.toHaveCount(0);

  const table = await saved(page, 'Save as CSV: Degraded pairs of the matrix');
  expect(table.suggestedFilename()).toMatch(/^netqoe-degraded-pairs-of-the-matrix-\d{4}-\d\d-\d\dT\d\d-\d\d\.csv$/);
  const text = await readFile(await table.path(), 'utf8');
  expect(text).toMatch(/^\ufeffClient,Target,Label,Severity\r\n/);
  expect(text.trimEnd().split('\r\n').length).toBeGreaterThan(1);

  const title = await page.getByTestId('chart').first().getByRole('heading').innerText();
  const chart = await saved(page, `Save as PNG: ${title}`);
  const bytes = await readFile(await chart.path());
  expect([...bytes.subarray(1, 4)]).toEqual([...Buffer.from('PNG')]);

  await page.getByRole('button', { name: 'Copy link' }).click();
  await expect(page.getByRole('button', { name: 'Copied' })).toBeVisible();
  const link = new URL(await page.evaluate(() => navigator.clipboard.readText()));
  const [from, to] = ['from', 'to'].map((name) => Number(link.searchParams.get(name)));
  expect(Number(to) - Number(from)).toBe(3_600_000);
  await page.goto(link.href);
  await expect(page.getByTestId('range').locator('option:checked')).not.toHaveText(/^Last/);
});

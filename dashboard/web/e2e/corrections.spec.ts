// What came late and was counted after all: the mark of its window, its measurement among the others, and the hours of the pipeline.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Page } from '@playwright/test';

import { graveFindings } from './support/axe.ts';
import { event } from './support/events.ts';
import { expect, test } from './support/test.ts';

const MINUTE_MS = 60_000;
const PAIR = { client_id: 'probe-1', target: 'https://example.com/' };
/** The window of which one measurement comes half an hour late. */
const AGO_MINUTES = 50;

/** A history of an hour, a measurement a minute, one of which the log took late. */
function history(): { lines: string; window_ms: number } {
  const begin = Math.floor(Date.now() / MINUTE_MS - 60) * MINUTE_MS;
  const window_ms = begin + (60 - AGO_MINUTES) * MINUTE_MS;
  const measured = Array.from({ length: 58 }, (_, minute) => {
    const ts_ms = begin + minute * MINUTE_MS + 1_000;
    return { ...event({ ...PAIR, ts_ms }), recv_ts_ms: ts_ms + 100 };
  });
  const late = {
    ...event({ ...PAIR, ts_ms: window_ms + 30_000, evidence: { status: 418 } }),
    recv_ts_ms: window_ms + 30 * MINUTE_MS,
  };
  const all = [...measured, late].sort((a, b) => a.recv_ts_ms - b.recv_ts_ms);
  return { lines: all.map((line) => JSON.stringify(line)).join('\n'), window_ms };
}

async function looksWellEverywhere(page: Page): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    await expect(page.locator('html')).toHaveAttribute('data-scheme', colorScheme);
    expect.soft(await graveFindings(page), colorScheme).toEqual([]);
  }
  for (const width of [360, 1280]) {
    await page.setViewportSize({ width, height: 740 });
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
  }
}

test('a window that was corrected says so, with the measurement that came late', async ({ page, up }) => {
  const folder = await mkdtemp(join(tmpdir(), 'netqoe-e2e-'));
  const { lines, window_ms } = history();
  await writeFile(join(folder, 'history.ndjson'), lines);
  const netqoe = await up('--import', join(folder, 'history.ndjson'));
  await rm(folder, { recursive: true });

  await page.goto(`${netqoe.origin}/?view=pipeline`);
  const corrections = page.getByTestId('corrections');
  await expect(corrections.getByTestId('corrections-by-hour').getByRole('row')).toHaveCount(2, { timeout: 20_000 });
  await looksWellEverywhere(page);

  const range = { from: String(window_ms), to: String(window_ms + MINUTE_MS) };
  await page.goto(
    `${netqoe.origin}/?${new URLSearchParams({ view: 'pair', client: PAIR.client_id, target: PAIR.target, ...range })}`,
  );
  await expect(page.getByText(/corrected at .*, with measurements that came late/u).first()).toBeVisible();
  await expect(page.getByTestId('corrected-note')).toBeVisible();
  const list = page.getByTestId('measurement');
  await expect(list).toHaveCount(2);
  // With its word: the digits alone may also be part of an event's id.
  await expect(list.filter({ hasText: 'ok 418' })).toHaveCount(1);
  await expect(page.getByText('came late, and is not counted')).toHaveCount(0);
  await looksWellEverywhere(page);
});

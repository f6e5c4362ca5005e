// What came late and was counted after all: the mark of its window, its measurement among the others, the hours of the pipeline, and an incident
// that it takes back.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Page } from '@playwright/test';

import type { Incident } from '../src/api/types.ts';
import { graveFindings } from './support/axe.ts';
import { event } from './support/events.ts';
import type { Netqoe } from './support/netqoe.ts';
import { expect, test } from './support/test.ts';
import { fits } from './support/width.ts';

const MINUTE_MS = 60_000;
const PAIR = { client_id: 'probe-1', target: 'https://example.com/' };
/** The window of which one measurement comes half an hour late. */
const AGO_MINUTES = 50;
/** The minutes of an hour in which all that comes in time has failed, and the one in which the rest comes. */
const FAILED = { from: 25, to: 33 };
const REST_COMES = 50;

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
  return { lines: logOf([...measured, late]), window_ms };
}

/** Events as an exported log has them. */
function logOf(events: { recv_ts_ms: number }[]): string {
  const inOrder = [...events].sort((a, b) => a.recv_ts_ms - b.recv_ts_ms);
  return inOrder.map((line) => JSON.stringify(line)).join('\n');
}

/**
 * A history of an hour of four clients. For some minutes each sends a failure a minute in time, and its four successes much later: a target that
 * seemed to be down was not.
 */
function dissolved(): string {
  const begin = Math.floor(Date.now() / MINUTE_MS - 60) * MINUTE_MS;
  const clients = Array.from({ length: 4 }, (_, index) => `probe-${index}`);
  const minutes = Array.from({ length: 58 }, (_, minute) => minute);
  const events = minutes.flatMap((minute) =>
    clients.flatMap((client_id) => {
      const at = begin + minute * MINUTE_MS;
      const isDown = minute >= FAILED.from && minute < FAILED.to;
      const measured = { ...PAIR, client_id, ts_ms: at + 1_000 };
      const first = { ...event({ ...measured, error_stage: isDown ? 'tcp' : null }), recv_ts_ms: at + 1_100 };
      if (!isDown) return [first];
      const rest = [11_000, 21_000, 31_000, 41_000].map((ms) => ({
        ...event({ ...measured, ts_ms: at + ms }),
        recv_ts_ms: begin + REST_COMES * MINUTE_MS,
      }));
      return [first, ...rest];
    }),
  );
  return logOf(events);
}

/** A netqoe that has taken in a history. */
async function withHistory(up: (...options: string[]) => Promise<Netqoe>, lines: string): Promise<Netqoe> {
  const folder = await mkdtemp(join(tmpdir(), 'netqoe-e2e-'));
  await writeFile(join(folder, 'history.ndjson'), lines);
  const netqoe = await up('--import', join(folder, 'history.ndjson'));
  await rm(folder, { recursive: true });
  return netqoe;
}

async function looksWellEverywhere(page: Page): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    await expect(page.locator('html')).toHaveAttribute('data-scheme', colorScheme);
    expect.soft(await graveFindings(page), colorScheme).toEqual([]);
  }
  for (const width of [360, 1280]) {
    await page.setViewportSize({ width, height: 740 });
    await fits(page, width);
  }
}

test('a window that was corrected says so, with the measurement that came late', async ({ page, up }) => {
  const { lines, window_ms } = history();
  const netqoe = await withHistory(up, lines);

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

test('an incident that a correction takes back stays readable, and says why', async ({ page, up }) => {
  const netqoe = await withHistory(up, dissolved());
  const range = `from=${Date.now() - 2 * 60 * MINUTE_MS}&to=${Date.now()}`;
  const incidents = async () => {
    const answer = await fetch(`${netqoe.origin}/api/v1/incidents?${range}`);
    return ((await answer.json()) as { items: Incident[] }).items;
  };
  await expect
    .poll(async () => (await incidents()).map(({ label, state }) => ({ label, state })), { timeout: 60_000 })
    .toEqual([{ label: 'error-bound', state: 'withdrawn' }]);
  const [incident] = await incidents();

  await page.goto(`${netqoe.origin}/?incident=${incident!.id}`);
  await expect(page.getByText(/It should not have been told: .*came late/u)).toBeVisible();
  const told = page.getByTestId('revisions').getByRole('listitem');
  await expect(told.first()).toHaveText(/opened: .*critical, 4 pairs$/);
  await expect(told.last()).toHaveText(/withdrawn: .*came late/);
  await expect(page.getByTestId('incident-pairs').locator('tbody tr')).toHaveCount(4);
  await looksWellEverywhere(page);
});

// What ingest has refused and what came late: a hint on the first screen, and the reasons on that of the pipeline.

import { graveFindings } from './support/axe.ts';
import { event, post } from './support/events.ts';
import type { Netqoe } from './support/netqoe.ts';
import { expect, test } from './support/test.ts';
import { fits } from './support/width.ts';

const MINUTE_MS = 60_000;
const HOSTILE = '<img src=x onerror=alert(1)>\u202e';
// What comes late is then left out at once, not a day later.
const NEVER_CORRECTED = ['--correction-horizon', '0s'];
const PAIR = { client_id: 'probe-1', target: 'https://example.com/' };

/** Two events that ingest refuses, and one that it takes long after its window was closed. */
async function leaveOut(netqoe: Netqoe): Promise<void> {
  const refused = { ...event(PAIR), client_id: HOSTILE, ts_ms: 'soon' };
  const response = await fetch(`${netqoe.ingest}/api/v1/events`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify([refused, refused, event(PAIR)]),
  });
  expect(((await response.json()) as { rejected: number }).rejected).toBe(2);
  await post(netqoe, [{ ...PAIR, ts_ms: Date.now() - 90 * MINUTE_MS }]);
}

test('what is not counted is on the first screen, with its reasons one click away', async ({ page, up }) => {
  const netqoe = await up(...NEVER_CORRECTED);
  await page.goto(netqoe.origin);
  const hint = page.getByTestId('uncounted');
  await expect(hint).toHaveText('0 events');
  await leaveOut(netqoe);
  await expect(hint).toHaveText('3 events');
  const link = page.getByRole('link', { name: '1 late, 2 refused' });
  expect(await graveFindings(page)).toEqual([]);
  await link.click();

  const reasons = page.getByTestId('uncounted-reason');
  await expect(reasons).toHaveCount(2);
  await expect(reasons.nth(0)).toContainText('2 × Refused: no valid time, or one too far ahead');
  await expect(reasons.nth(0)).toContainText('<img src=x onerror=alert(1)>[U+202E]');
  await expect(reasons.nth(1)).toContainText('1 × Late: its window was closed');
  await expect(reasons.nth(1)).toContainText('probe-1 → example.com: measured 90 min before it came');
  await expect(page.getByTestId('uncounted')).toContainText('Counted since');
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    await expect(page.locator('html')).toHaveAttribute('data-scheme', colorScheme);
    expect.soft(await graveFindings(page), colorScheme).toEqual([]);
  }
  for (const width of [360, 1280]) {
    await page.setViewportSize({ width, height: 740 });
    await fits(page, width);
  }
});

test('only what was left out in the shown range is counted', async ({ page, up }) => {
  const netqoe = await up(...NEVER_CORRECTED);
  await leaveOut(netqoe);
  const from = Date.now() - 60 * MINUTE_MS;
  const past = { from: String(from), to: String(from + 30 * MINUTE_MS) };
  await page.goto(`${netqoe.origin}/?${new URLSearchParams({ view: 'pipeline', ...past })}`);
  await expect(page.getByTestId('uncounted')).toContainText(
    'None: every event of this range that was sent is counted.',
  );
  await page.goto(`${netqoe.origin}/?view=pipeline`);
  await expect(page.getByTestId('uncounted-reason')).toHaveCount(2);
});

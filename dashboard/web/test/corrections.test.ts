// What was corrected, in words.

import { expect, test } from 'vitest';

import type { Corrections, Series } from '../src/api/types.ts';
import { correctedWindows, stateText, totalText, waitingText } from '../src/words/corrections.ts';

const MINUTE_MS = 60_000;
const NOON = Date.parse('2026-11-24T12:00:00');

function series(point_ms: number): Series {
  const start = [NOON, NOON + point_ms];
  return { start, point_ms, window_ms: MINUTE_MS, corrected_at: [null, NOON + 5_000_000] } as unknown as Series;
}

function corrections(hours: [accepted: number, duplicate: number, rows: number][], pairs: number): Corrections {
  const items = hours.map(([accepted, duplicate, rows_written], hour) => {
    return { hour: hour * 60 * MINUTE_MS, corrections: 1, pairs: 2, accepted, duplicate, rows_written };
  });
  return { items, waiting: { pairs, events: 1_000 * pairs } };
}

test('a window may still change, is final, or has changed since, and says when', () => {
  expect(stateText(false, null, NOON)).toBe('may still change');
  expect(stateText(true, null, NOON)).toBe('final');
  const text = stateText(true, NOON + 125 * MINUTE_MS, NOON);
  expect(text).toBe('corrected at 14:05, with measurements that came late');
  expect(stateText(true, NOON - 24 * 60 * MINUTE_MS, NOON)).toContain('corrected at 23 Nov 12:00');
});

test('which window was corrected is told where points are windows', () => {
  expect([...correctedWindows(series(MINUTE_MS))]).toEqual([[NOON + MINUTE_MS, NOON + 5_000_000]]);
  expect(correctedWindows(series(5 * MINUTE_MS)).size).toBe(0);
});

test('hours are added up, and copies are told where there are some', () => {
  const hours: [number, number, number][] = [
    [1_200, 0, 3_000],
    [4, 0, 611],
  ];
  expect(totalText(corrections(hours, 0))).toBe('1,204 events counted that came late, 3,611 rows written');
  expect(totalText(corrections([[1, 1, 1]], 0))).toBe('1 event counted that came late, 1 copy, 1 row written');
});

test('what waits is said where something waits', () => {
  expect(waitingText(corrections([], 0))).toBeNull();
  expect(waitingText(corrections([], 1))).toBe('1,000 events of 1 pair waits to be counted.');
  expect(waitingText(corrections([], 2))).toBe('2,000 events of 2 pairs wait to be counted.');
});

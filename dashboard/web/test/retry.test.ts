import { describe, expect, test } from 'vitest';

import { isForLater, pauseOf, retryAfter } from '../src/state/retry.ts';

test('only what may be answered later is asked for again', () => {
  expect([429, 502, 503, 504].every(isForLater)).toBe(true);
  expect([0, 200, 400, 401, 403, 404, 500].some(isForLater)).toBe(false);
});

describe('the pause before asking again', () => {
  test('is what the server asks for, then doubles', () => {
    expect([1, 2, 3, 4].map((refusals) => pauseOf(refusals, 2_000, 0))).toEqual([2_000, 4_000, 8_000, 16_000]);
  });

  test('is a second where the server does not say', () => expect(pauseOf(1, null, 0)).toBe(1_000));

  test('is bounded, but by what the server asks for', () => {
    expect(pauseOf(20, 1_000, 0)).toBe(30_000);
    expect(pauseOf(1_000_000, 1_000, 1)).toBe(45_000);
    expect(pauseOf(1, 120_000, 0)).toBe(120_000);
    expect(pauseOf(5, 120_000, 0)).toBe(120_000);
  });

  test('is never none, and scattered upwards', () => {
    expect(pauseOf(1, 0, 0)).toBeGreaterThan(0);
    for (const random of [0, 0.3, 1]) {
      expect(pauseOf(2, 1_000, random)).toBeGreaterThanOrEqual(2_000);
      expect(pauseOf(2, 1_000, random)).toBeLessThanOrEqual(3_000);
    }
  });
});

test.each([
  [null, null],
  ['1', 1_000],
  [' 30 ', 30_000],
  ['Tue, 24 Nov 2026 20:00:05 GMT', 5_000],
  ['Tue, 24 Nov 2026 19:00:00 GMT', 0],
  ['soon', null],
])('Retry-After %s is %s ms', (header, expected) => {
  expect(retryAfter(header, Date.UTC(2026, 10, 24, 20))).toBe(expected);
});

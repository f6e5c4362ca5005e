import { describe, expect, test } from 'vitest';

import { BOTTOM, TOP, valueAt, yOf } from '../src/charts/frame.ts';
import { markOf, type Axis } from '../src/charts/mark.ts';

const MINUTE = 60_000;
/** A pixel is a millisecond: 200 of them between the edges. */
const axis: Axis = { column: 'ttfb_p95', scale: { low: 0, high: 200 }, height: 200 + TOP + BOTTOM };
const at = (time: number, value: number) => ({ time, y: yOf(value, axis.height, axis.scale) });

describe('a rectangle over a chart of values', () => {
  test.each([
    [at(70_000, 50), at(170_000, 150)],
    [at(170_000, 50), at(70_000, 150)],
    [at(70_000, 150), at(170_000, 50)],
    [at(170_000, 150), at(70_000, 50)],
  ])('marks its time and its values, whichever way it was drawn', (a, b) => {
    expect(markOf(a, b, MINUTE, axis)).toEqual({
      inside: { from: MINUTE, to: 3 * MINUTE },
      measure: { column: 'ttfb_p95', min: 50, max: 150 },
    });
  });

  test.each([
    [120, 199, { min: 120, max: null }],
    [2, 120, { min: null, max: 120 }],
    [-500, 120, { min: null, max: 120 }],
    [120, 500, { min: 120, max: null }],
  ])('from %d to %d has an open end at the edge', (low, high, measure) => {
    expect(markOf(at(0, low), at(1, high), MINUTE, axis).measure).toEqual({ column: 'ttfb_p95', ...measure });
  });

  test.each([
    ['along the time', 100, 106],
    ['nearly as high as the chart', 4, 196],
    ['beyond it', -50, 400],
  ])('that is drawn %s marks time only', (_, low, high) => {
    expect(markOf(at(0, low), at(MINUTE, high), MINUTE, axis)).toEqual({
      inside: { from: 0, to: MINUTE },
      measure: null,
    });
  });

  test('has figures no finer than a pixel', () => {
    const scale = { low: 60, high: 67.3 };
    const { measure } = markOf({ time: 0, y: 60 }, { time: 1, y: 130 }, MINUTE, { ...axis, scale });
    expect(measure).toEqual({ column: 'ttfb_p95', min: 62.85, max: 65.4 });
  });
});

test('over a chart without a column it marks time only', () => {
  expect(markOf({ time: 0, y: 20 }, { time: 1, y: 120 }, MINUTE, null)).toEqual({
    inside: { from: 0, to: MINUTE },
    measure: null,
  });
});

test('pixels and values of a chart are each other’s inverse, and stay within it', () => {
  const scale = { low: 55, high: 70 };
  for (const value of [55, 61.2, 70]) expect(valueAt(yOf(value, 230, scale), 230, scale)).toBeCloseTo(value);
  expect(valueAt(-10, 230, scale)).toBe(70);
  expect(yOf(0, 230, scale)).toBe(230 - BOTTOM);
});

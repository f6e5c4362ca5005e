import { describe, expect, test } from 'vitest';

import { timeAt, xOf } from '../src/charts/frame.ts';
import { bandBlocks, indexAt, stackBlocks, steps, usualBlocks, usualSum, wholePoints } from '../src/charts/points.ts';

const MINUTE = 60_000;
const start = [0, MINUTE, 3 * MINUTE];

test('a band stands only where both its edges are known', () => {
  expect(bandBlocks(start, MINUTE, [1, null, 3], [2, 5, 4])).toEqual([
    [0, MINUTE, 1, 2],
    [3 * MINUTE, 4 * MINUTE, 3, 4],
  ]);
});

test('what is usual reaches from its low to its high, and not below 0', () => {
  const usual = { usual: [10, 1, null], low: [6, -1, null], high: [14, 3, null] };
  expect(usualBlocks(start, MINUTE, usual)).toEqual([
    [0, MINUTE, 6, 14],
    [MINUTE, 2 * MINUTE, 0, 3],
  ]);
});

test('what is usual of phases is added up where it is known of each that there is', () => {
  expect(
    usualSum([
      [1, 2, null],
      [null, null, null],
      [10, null, 30],
    ]),
  ).toEqual([11, null, null]);
  expect(usualSum([[null], [null]])).toEqual([]);
});

test('stacked columns stand on each other, and null takes no room', () => {
  expect(stackBlocks([0], MINUTE, [[2], [null], [3]])).toEqual([[[0, MINUTE, 0, 2]], [], [[0, MINUTE, 2, 5]]]);
});

test('a line is level over each point and is not drawn over a gap', () => {
  expect(steps(start, MINUTE, [1, 2, 3])).toEqual([
    [0, MINUTE, 1, 2],
    [MINUTE, 2 * MINUTE, 2, null],
    [3 * MINUTE, 4 * MINUTE, 3, null],
  ]);
  expect(steps([0, MINUTE], MINUTE, [1, null])).toEqual([[0, MINUTE, 1, null]]);
});

describe('the point at a time', () => {
  test.each<[number | null, number | null]>([
    [null, null],
    [-1, null],
    [0, 0],
    [MINUTE - 1, 0],
    [MINUTE, 1],
    [2 * MINUTE, null],
    [3.5 * MINUTE, 2],
    [4 * MINUTE, null],
  ])('%d is in point %s', (at, index) => expect(indexAt(start, MINUTE, at)).toBe(index));

  test('without points there is none', () => expect(indexAt([], MINUTE, 5)).toBe(null));
});

test('a mark takes whole points, whichever way it was drawn', () => {
  expect(wholePoints(90_000, 30_000, MINUTE)).toEqual({ from: 0, to: 2 * MINUTE });
  expect(wholePoints(MINUTE, MINUTE, MINUTE)).toEqual({ from: MINUTE, to: 2 * MINUTE });
});

test('pixels and times of a chart are each other’s inverse, and stay within it', () => {
  const bounds = { from: 1_000, to: 2_000 };
  for (const at of [1_000, 1_250, 2_000]) expect(timeAt(xOf(at, 900, bounds), 900, bounds)).toBeCloseTo(at);
  expect(timeAt(0, 900, bounds)).toBe(1_000);
  expect(timeAt(5_000, 900, bounds)).toBe(2_000);
});

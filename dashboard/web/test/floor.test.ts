import { expect, test } from 'vitest';

import { floorOf } from '../src/charts/floor.ts';
import type { Block, Step } from '../src/charts/points.ts';

const block = (low: number, high: number): Block => [0, 1, low, high];
const step = (value: number): Step => [0, 1, value, null];

test.each<[string, Block[], Step[], number]>([
  ['nothing', [], [], 0],
  ['what takes all of it', [block(2, 100)], [], 0],
  ['what takes half of it', [block(49, 100)], [], 0],
  ['smoke', [block(62, 66)], [step(62.5), step(64)], 60],
  ['smoke in what is usual', [block(62, 66), block(57, 71)], [step(62)], 55],
  ['a fault above it', [block(62, 66), block(60, 410)], [], 0],
  ['what lies on a round value', [block(60, 66)], [], 58],
  ['what is large', [block(12_340, 12_900)], [], 12_200],
  ['what is small', [block(0.62, 0.66)], [], 0.6],
  ['a line alone', [], [step(70), step(80)], 65],
  ['what is level', [], [step(100)], 98],
  ['zeros', [], [step(0)], 0],
])('the axis of %s', (_, blocks, line, expected) => expect(floorOf(blocks, line)).toBe(expected));

test('many points are no burden', () => {
  const blocks = Array.from({ length: 200_000 }, (_, index) => block(60 + (index % 5), 70));
  expect(floorOf(blocks, [])).toBe(55);
});

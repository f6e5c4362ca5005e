// How much of a list is shown at first.

import { expect, test } from 'vitest';

import { firstOf } from '../src/parts/few.ts';

test('a list hides what is worth a button', () => {
  const items = (count: number) => Array.from({ length: count }, (_, index) => index);
  expect([5, 6, 7, 100].map((count) => firstOf(items(count), 5).length)).toEqual([5, 6, 5, 5]);
});

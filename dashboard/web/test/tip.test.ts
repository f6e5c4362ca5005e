// Where the words about a cell stand.

import { expect, test } from 'vitest';

import { layoutOf } from '../src/matrix/layout.ts';
import { tipAt } from '../src/matrix/tip.ts';

const VIEW = { width: 1_200, height: 400 };
const LAYOUT = layoutOf(20, 8, VIEW, { row: 84, column: 60 });
const HIGH = { top: 100, height: 900 };
const NOWHERE = { x: 0, y: 0 };

test('the words stand below a cell, at its nearer edge', () => {
  const { head, cell } = LAYOUT;
  expect(tipAt(LAYOUT, NOWHERE, VIEW, { row: 2, column: 1 }, HIGH)).toEqual({
    left: `${head.width + cell.width}px`,
    top: `${head.height + 3 * cell.height + 4}px`,
  });
  expect(tipAt(LAYOUT, NOWHERE, VIEW, { row: 2, column: 7 }, HIGH)).toMatchObject({
    right: `${VIEW.width - head.width - 8 * cell.width}px`,
  });
});

test('they stand above a cell that is low in the window, and go with what is scrolled', () => {
  const { head, cell } = LAYOUT;
  const low = { top: 700, height: 900 };
  expect(tipAt(LAYOUT, NOWHERE, VIEW, { row: 2, column: 1 }, low)).toMatchObject({
    top: `${head.height + 2 * cell.height - 4}px`,
    transform: 'translateY(-100%)',
  });
  const scrolled = tipAt(LAYOUT, { x: 0, y: 40 }, VIEW, { row: 2, column: 1 }, HIGH);
  expect(scrolled.top).toBe(`${head.height + 3 * cell.height - 40 + 4}px`);
});

test('on a phone they stay within the matrix', () => {
  const view = { width: 330, height: 400 };
  const layout = layoutOf(20, 8, view, { row: 84, column: 60 });
  for (const column of [0, 3, 7]) {
    const { left, right } = tipAt(layout, NOWHERE, view, { row: 0, column }, HIGH);
    expect(left ?? right).toBe('0px');
  }
});

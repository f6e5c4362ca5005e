import { describe, expect, test } from 'vitest';

import type { MatrixAnswer } from '../src/api/types.ts';
import { cellsOf } from '../src/matrix/cells.ts';
import { pairAt, spotOf } from '../src/matrix/cursor.ts';

const NO_FILTER = { isp: null, label: null, only: false };

function matrixOf(clients: string[], targets: string[]): MatrixAnswer {
  return {
    at: 0,
    clients: clients.map((client_id) => ({ client_id, isp: client_id[0] ?? null, network_type: null, labels: {} })),
    targets,
    target_labels: targets.map(() => ({})),
    labels: clients.map(() => 'h'.repeat(targets.length)),
    severities: clients.map(() => '0'.repeat(targets.length)),
    clients_left_off: 0,
    targets_left_off: 0,
  };
}

function spotIn(answer: MatrixAnswer, filter: { isp: string | null } = NO_FILTER) {
  return spotOf(answer, cellsOf(answer, { ...NO_FILTER, ...filter }), cursor);
}

const before = matrixOf(['b1', 'c1', 'd1'], ['t', 'v']);
const spot = { row: 1, column: 1 };
const cursor = { spot, pair: { client: 'c1', target: 'v' } };

describe('the cursor stays with its pair', () => {
  test('which is that of its cell', () => {
    expect(pairAt(before, cellsOf(before, NO_FILTER), spot)).toEqual(cursor.pair);
    expect(pairAt(before, cellsOf(before, NO_FILTER), { row: 3, column: 0 })).toBe(null);
  });

  test.each([
    ['nothing has changed', before, spot],
    ['a client appears before it', matrixOf(['a1', 'b1', 'c1', 'd1'], ['t', 'v']), { row: 2, column: 1 }],
    ['a target appears before it', matrixOf(['b1', 'c1', 'd1'], ['s', 't', 'u', 'v']), { row: 1, column: 3 }],
    ['the order is another one', matrixOf(['d1', 'b1', 'c1'], ['v', 't']), { row: 2, column: 0 }],
    ['others go', matrixOf(['c1'], ['v']), { row: 0, column: 0 }],
  ])('when %s', (_, answer, expected) => expect(spotIn(answer)).toEqual(expected));

  test('when a filter takes rows before it away', () =>
    expect(spotIn(before, { isp: 'c' })).toEqual({ row: 0, column: 1 }));
});

describe('of a pair that is no longer shown', () => {
  test.each([
    ['the cell that has taken its place', matrixOf(['b1', 'd1', 'e1'], ['t', 'v']), spot],
    ['the last row', matrixOf(['b1'], ['t', 'v']), { row: 0, column: 1 }],
    ['its client, where that is still there', matrixOf(['a1', 'b1', 'c1'], ['t']), { row: 2, column: 0 }],
    ['nothing in an empty matrix', matrixOf([], []), null],
  ])('the cursor is on %s', (_, answer, expected) => expect(spotIn(answer)).toEqual(expected));
});

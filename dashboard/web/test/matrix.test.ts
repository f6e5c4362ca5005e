import { describe, expect, test } from 'vitest';

import type { MatrixAnswer } from '../src/api/types.ts';
import { cellAt, cellCounts, cellsOf, reportingOf } from '../src/matrix/cells.ts';
import { hit, layoutOf, moved, revealed, seen } from '../src/matrix/layout.ts';

const VIEW = { width: 1_000, height: 500 };
const layout = layoutOf(2_000, 200, VIEW, { row: 80, column: 100 });
const { cell, head } = layout;

describe('where things are', () => {
  test('many targets have slanted names, few have level ones', () => {
    expect(layout.upright).toBe(false);
    expect(layoutOf(20, 6, VIEW, { row: 80, column: 100 }).upright).toBe(true);
  });

  test.each([
    [2, 1_700],
    [6, 1_400],
    [6, 1_700],
    [12, 1_400],
  ])('%d targets fill a width of %d, up to what a cell may have', (columns, width) => {
    for (const column of [40, 150, 600]) {
      const { cell, content } = layoutOf(20, columns, { width, height: 500 }, { row: 80, column });
      expect(content.width).toBeLessThanOrEqual(width);
      expect(content.width > width - columns || cell.width === 260).toBe(true);
    }
  });

  test('few rows are higher', () => {
    const heights = [1, 12, 13, 2_000].map((rows) => layoutOf(rows, 6, VIEW, { row: 80, column: 100 }).cell.height);
    expect(heights).toEqual([24, 24, 18, 18]);
  });

  test('every cell is hit at its corners, and only it', () => {
    for (const [row, column] of [
      [0, 0],
      [3, 5],
      [20, 40],
    ] as const) {
      const [x, y] = [head.width + column * cell.width, head.height + row * cell.height];
      const spot = { on: 'cell', row, column };
      expect(hit(layout, { x: 0, y: 0 }, x, y)).toEqual(spot);
      expect(hit(layout, { x: 0, y: 0 }, x + cell.width - 1, y + cell.height - 1)).toEqual(spot);
      expect(hit(layout, { x: 0, y: 0 }, x + cell.width, y)).toEqual({ ...spot, column: column + 1 });
    }
  });

  test('scrolling moves cells under the names, which stay', () => {
    const scroll = { x: 10 * cell.width, y: 100 * cell.height };
    expect(hit(layout, scroll, head.width, head.height)).toEqual({ on: 'cell', row: 100, column: 10 });
    expect(hit(layout, scroll, 5, head.height)).toEqual({ on: 'row', row: 100 });
    expect(hit(layout, scroll, head.width, 5)).toEqual({ on: 'column', column: 10 });
    expect(hit(layout, scroll, 5, 5)).toBe(null);
  });

  test('beyond the last cell there is nothing', () => {
    const small = layoutOf(2, 2, VIEW, { row: 80, column: 20 });
    expect(hit(small, { x: 0, y: 0 }, 999, 499)).toBe(null);
  });

  test('only what is in sight is drawn', () => {
    const { rows, columns } = seen(layout, { x: 0, y: 500 * cell.height }, VIEW);
    expect(rows[0]).toBe(500);
    expect(rows[1] - rows[0]).toBeLessThan(VIEW.height / cell.height + 2);
    expect(columns[1] - columns[0]).toBeLessThan(VIEW.width / cell.width + 2);
    expect(seen(layout, { x: 1e9, y: 1e9 }, VIEW).rows[1]).toBe(2_000);
  });

  test('a cell that is revealed is in sight, and what is in sight does not scroll', () => {
    const spot = { row: 1_999, column: 199 };
    const scroll = revealed(layout, { x: 0, y: 0 }, VIEW, spot);
    const [x, y] = [head.width + 199 * cell.width - scroll.x, head.height + 1_999 * cell.height - scroll.y];
    expect(x + cell.width).toBeLessThanOrEqual(VIEW.width);
    expect(y + cell.height).toBeLessThanOrEqual(VIEW.height);
    expect(revealed(layout, scroll, VIEW, spot)).toEqual(scroll);
    expect(revealed(layout, scroll, VIEW, { row: 0, column: 0 })).toEqual({ x: 0, y: 0 });
  });
});

describe('the cursor', () => {
  const at = { row: 5, column: 5 };

  test.each([
    ['ArrowUp', { row: 4, column: 5 }],
    ['ArrowRight', { row: 5, column: 6 }],
    ['PageDown', { row: 15, column: 5 }],
    ['Home', { row: 5, column: 0 }],
    ['End', { row: 5, column: 199 }],
  ])('%s', (key, to) => expect(moved(layout, at, key, 10, false)).toEqual(to));

  test('stays in the matrix', () => {
    expect(moved(layout, { row: 0, column: 0 }, 'ArrowLeft', 10, false)).toEqual({ row: 0, column: 0 });
    expect(moved(layout, at, 'End', 10, true)).toEqual({ row: 1_999, column: 199 });
  });

  test('leaves other keys alone', () => expect(moved(layout, at, 'a', 10, false)).toBe(null));
});

describe('cells', () => {
  const answer: MatrixAnswer = {
    at: 0,
    clients: [
      { client_id: 'a', isp: 'x', network_type: null, labels: {} },
      { client_id: 'b', isp: null, network_type: null, labels: {} },
      { client_id: 'c', isp: 'x', network_type: null, labels: {} },
    ],
    targets: ['s', 't', 'u'],
    target_labels: [{}, {}, {}],
    labels: ['hs.', '?hd', 'hhh'],
    severities: ['02.', '003', '000'],
    clients_left_off: 0,
    targets_left_off: 0,
  };

  test('say what they are', () => {
    expect(cellAt(answer, 0, 1)).toEqual({ state: 'judged', label: 'server-bound', severity: 'major' });
    expect(cellAt(answer, 0, 0)).toEqual({ state: 'judged', label: 'healthy', severity: null });
    expect(cellAt(answer, 0, 2)).toEqual({ state: 'absent' });
    expect(cellAt(answer, 1, 0)).toEqual({ state: 'unknown' });
    expect(cellAt(answer, 9, 9)).toEqual({ state: 'absent' });
  });

  test('are unmeasured where a pair is silent', () => {
    const silent = { ...answer, labels: ['hsu', '??u', 'u.u'] };
    expect(cellAt(silent, 0, 2)).toEqual({ state: 'unmeasured' });
    expect(cellCounts(silent).unmeasured).toBe(4);
    const [first, second, third] = answer.clients.map(({ client_id }) => client_id);
    expect([...reportingOf(silent)]).toEqual([first, second]);
    expect(reportingOf(silent).has(third ?? '')).toBe(false);
  });

  test('are counted by label', () => {
    const { labels, unmeasured } = cellCounts(answer);
    expect([...labels]).toEqual([
      ['server-bound', 1],
      ['dns-bound', 1],
    ]);
    expect(unmeasured).toBe(0);
  });

  const none = { isp: null, label: null, only: false };

  test.each([
    [none, [0, 1, 2], [0, 1, 2]],
    [{ ...none, isp: 'x' }, [0, 2], [0, 1, 2]],
    [{ ...none, isp: '' }, [1], [0, 1, 2]],
    [{ ...none, only: true }, [0, 1], [1, 2]],
    [{ ...none, only: true, label: 'dns-bound' as const }, [1], [2]],
    [{ isp: 'x', only: true, label: 'dns-bound' as const }, [], []],
  ])('%j leaves rows %j and columns %j', (filter, rows, columns) => {
    expect(cellsOf(answer, filter)).toEqual({ rows, columns });
  });
});

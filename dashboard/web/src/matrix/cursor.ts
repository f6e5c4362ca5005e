// The matrix' cursor: it stays with its pair, wherever news put that.

import type { MatrixAnswer } from '../api/types.ts';
import type { Cells } from './cells.ts';
import type { Spot } from './layout.ts';

export interface Pair {
  client: string;
  target: string;
}

/** A pair, and where it was when the cursor came to it. */
export interface Cursor {
  pair: Pair;
  spot: Spot;
}

/** The pair of a cell; null where the cell is none of the matrix. */
export function pairAt(answer: MatrixAnswer, cells: Cells, { row, column }: Spot): Pair | null {
  const [atRow, atColumn] = [cells.rows[row], cells.columns[column]];
  if (atRow === undefined || atColumn === undefined) return null;
  const [client, target] = [answer.clients[atRow]?.client_id, answer.targets[atColumn]];
  return client === undefined || target === undefined ? null : { client, target };
}

/** Where the pair is now; of one that is no longer shown, the cell nearest to where it was. Null in a matrix without cells. */
export function spotOf(answer: MatrixAnswer, cells: Cells, { pair, spot }: Cursor): Spot | null {
  const { rows, columns } = cells;
  if (rows.length === 0 || columns.length === 0) return null;
  const row = rows.findIndex((row) => answer.clients[row]?.client_id === pair.client);
  const column = columns.findIndex((column) => answer.targets[column] === pair.target);
  return {
    row: row < 0 ? Math.min(spot.row, rows.length - 1) : row,
    column: column < 0 ? Math.min(spot.column, columns.length - 1) : column,
  };
}

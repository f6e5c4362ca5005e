// Where things of the matrix are: pure geometry, in CSS pixels of the scrolled content.

export interface Size {
  width: number;
  height: number;
}

export interface Layout {
  rows: number;
  columns: number;
  cell: Size;
  /** Room for the clients' names at the left and the targets' at the top; both stay in sight. */
  head: Size;
  /** The whole content, names included. */
  content: Size;
  /** Whether the targets' names fit lying down. */
  upright: boolean;
}

export interface Spot {
  row: number;
  column: number;
}

export type Hit = ({ on: 'cell' } & Spot) | { on: 'row'; row: number } | { on: 'column'; column: number } | null;

const ROW_HEIGHT = 18;
/** So few rows have room to be higher. */
const FEW_ROWS = 12;
const HIGH_ROW_HEIGHT = 24;
const NARROWEST = 18;
/** Six targets fill a wide screen; wider, a cell would no longer look like one. */
const WIDEST = 260;
/** Names this wide may still lie. */
const WIDEST_NAME = 190;
const HEAD_HEIGHT = 24;
const SLANTED_HEAD_HEIGHT = 116;
/** Slanted names reach over the last column: by so much of their width, and no further than this. */
const OVERHANG_SHARE = 0.75;
const WIDEST_OVERHANG = 96;

/** `names` are the widths of the longest client's and target's name. */
export function layoutOf(rows: number, columns: number, view: Size, names: { row: number; column: number }): Layout {
  const head = Math.ceil(Math.min(names.row + 16, Math.max(72, view.width * 0.3), 260));
  const room = view.width - head;
  const wanted = names.column + 14;
  const overhang = Math.ceil(Math.min(WIDEST_OVERHANG, names.column * OVERHANG_SHARE));
  const upright = columns > 0 && wanted <= WIDEST_NAME && wanted * columns <= room;
  const width = upright
    ? Math.max(wanted, Math.min(WIDEST, Math.floor(room / columns)))
    : Math.max(NARROWEST, Math.min(WIDEST, Math.floor((room - overhang) / Math.max(1, columns))));
  const height = rows <= FEW_ROWS ? HIGH_ROW_HEIGHT : ROW_HEIGHT;
  const headSize = {
    width: head,
    height: upright ? HEAD_HEIGHT : Math.min(SLANTED_HEAD_HEIGHT, 16 + names.column * 0.75),
  };
  return {
    rows,
    columns,
    upright,
    cell: { width, height },
    head: headSize,
    content: {
      width: headSize.width + columns * width + (upright ? 0 : overhang),
      height: headSize.height + rows * height,
    },
  };
}

/** Which rows and columns are in sight: half-open. */
export function seen({ rows, columns, cell, head }: Layout, scroll: { x: number; y: number }, view: Size) {
  const top = Math.floor(scroll.y / cell.height);
  const left = Math.floor(scroll.x / cell.width);
  return {
    rows: [Math.max(0, top), Math.min(rows, top + Math.ceil((view.height - head.height) / cell.height) + 1)] as const,
    columns: [
      Math.max(0, left),
      Math.min(columns, left + Math.ceil((view.width - head.width) / cell.width) + 1),
    ] as const,
  };
}

/** What is at a point of the visible part. */
export function hit(layout: Layout, scroll: { x: number; y: number }, x: number, y: number): Hit {
  const { head, cell, rows, columns } = layout;
  const row = Math.floor((y - head.height + scroll.y) / cell.height);
  const column = Math.floor((x - head.width + scroll.x) / cell.width);
  const onRow = y >= head.height && row >= 0 && row < rows;
  const onColumn = x >= head.width && column >= 0 && column < columns;
  if (onRow && onColumn) return { on: 'cell', row, column };
  if (onRow && x < head.width) return { on: 'row', row };
  if (onColumn && y < head.height) return { on: 'column', column };
  return null;
}

/** How far to scroll so that a cell is wholly in sight. */
export function revealed({ cell, head }: Layout, scroll: { x: number; y: number }, view: Size, { row, column }: Spot) {
  const reveal = (from: number, size: number, at: number, room: number) =>
    Math.min(from, Math.max(at, from + size - room));
  return {
    x: reveal(column * cell.width, cell.width, scroll.x, view.width - head.width),
    y: reveal(row * cell.height, cell.height, scroll.y, view.height - head.height),
  };
}

/** Where a key takes the cursor; null where it is no key of the matrix. */
export function moved(
  { rows, columns }: Layout,
  { row, column }: Spot,
  key: string,
  page: number,
  far: boolean,
): Spot | null {
  const within = (value: number, end: number) => Math.min(end - 1, Math.max(0, value));
  const to = (row: number, column: number) => ({ row: within(row, rows), column: within(column, columns) });
  switch (key) {
    case 'ArrowUp':
      return to(row - 1, column);
    case 'ArrowDown':
      return to(row + 1, column);
    case 'ArrowLeft':
      return to(row, column - 1);
    case 'ArrowRight':
      return to(row, column + 1);
    case 'PageUp':
      return to(row - page, column);
    case 'PageDown':
      return to(row + page, column);
    case 'Home':
      return far ? to(0, 0) : to(row, 0);
    case 'End':
      return far ? to(rows - 1, columns - 1) : to(row, columns - 1);
    default:
      return null;
  }
}

// Where the words about a cell of the matrix stand: pure geometry, in CSS pixels of what is seen of it.

import type { Layout, Size, Spot } from './layout.ts';

/** As wide as the words may be: see `.cell-tip`. */
const WIDEST = 340;
const GAP = 4;

export interface TipPlace {
  left?: string;
  right?: string;
  top: string;
  /** Lifts it above its place. */
  transform?: string;
}

/**
 * Beside a cell's nearer edge, and never beyond the matrix' sides. `page` says where the matrix begins in the window, and how high
 * that is.
 */
export function tipAt(
  { head, cell }: Layout,
  scroll: { x: number; y: number },
  view: Size,
  { row, column }: Spot,
  page: { top: number; height: number },
): TipPlace {
  const left = head.width + column * cell.width - scroll.x;
  const top = head.height + row * cell.height - scroll.y;
  const most = Math.max(0, view.width - WIDEST);
  const within = (value: number) => `${Math.round(Math.min(most, Math.max(0, value)))}px`;
  const isLeft = left + cell.width / 2 <= view.width / 2;
  const across = isLeft ? { left: within(left) } : { right: within(view.width - left - cell.width) };
  const isHigh = page.top + top + cell.height / 2 <= page.height / 2;
  return isHigh
    ? { ...across, top: `${Math.round(top + cell.height + GAP)}px` }
    : { ...across, top: `${Math.round(top - GAP)}px`, transform: 'translateY(-100%)' };
}

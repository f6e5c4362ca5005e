// What a cell says, at the cell: below it, or above it where there is more room.

import { CellWords, type Told } from './CellWords.tsx';
import type { Layout, Size } from './layout.ts';
import { tipAt } from './tip.ts';

interface Props extends Told {
  layout: Layout;
  view: Size;
  box: { current: HTMLElement | null };
}

/** Hidden from those who hear: the grid's active cell says the same. */
export function CellTip({ layout, view, box, ...told }: Props) {
  const element = box.current;
  if (!element) return null;
  const scroll = { x: element.scrollLeft, y: element.scrollTop };
  const { top } = element.getBoundingClientRect();
  const style = tipAt(layout, scroll, view, told.spot, { top, height: window.innerHeight });
  return (
    <div class="cell-tip" style={{ ...style }} aria-hidden="true" data-testid="matrix-readout">
      <CellWords {...told} />
    </div>
  );
}

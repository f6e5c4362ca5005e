// The clients × targets matrix: a canvas that draws what is seen, a cursor for keys, and words for who can't see it.

import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';

import type { Diagnosis, MatrixAnswer } from '../api/types.ts';
import { palette } from '../charts/palette.ts';
import { go } from '../state/navigation.ts';
import { fit, useFrame, useSize } from './canvas.ts';
import { cellsOf, type Cells, type MatrixFilter } from './cells.ts';
import { pairAt, spotOf, type Cursor } from './cursor.ts';
import { draw } from './draw.ts';
import { hit, layoutOf, moved, revealed, type Hit, type Layout, type Size, type Spot } from './layout.ts';
import { useNames, widthsOf } from './names.ts';
import { cellText } from './CellWords.tsx';
import { CellTip } from './CellTip.tsx';

interface Props {
  answer: MatrixAnswer;
  diagnoses: Diagnosis[];
  filter: MatrixFilter;
}

const FIRST: Spot = { row: 0, column: 0 };

export function Matrix({ answer, diagnoses, filter }: Props) {
  const { isp, label, only } = filter;
  const cells = useMemo(() => cellsOf(answer, { isp, label, only }), [answer, isp, label, only]);
  const names = useNames(answer);
  const box = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const view = useSize(box);
  const colors = palette.value;
  const layout = useMemo(() => {
    const widths = widthsOf(names, cells, colors.font);
    return layoutOf(cells.rows.length, cells.columns.length, view, widths);
  }, [names, cells, view, colors.font]);
  const [pointed, setPointed] = useState<Spot | null>(null);
  const [focused, setFocused] = useState(false);
  // Counts, so that what stands at a cell goes with it.
  const [, setScrolls] = useState(0);
  const reveal = (spot: Spot) => {
    const element = box.current;
    if (!element) return;
    const scroll = revealed(layout, { x: element.scrollLeft, y: element.scrollTop }, view, spot);
    element.scrollTo(scroll.x, scroll.y);
  };
  const { cursor, moveTo } = useCursor(answer, cells, (spot) => focused && reveal(spot));

  const paint = useFrame(() => {
    const [element, on] = [box.current, canvas.current];
    const context = on?.getContext('2d');
    if (!element || !on || !context || view.width === 0) return;
    fit(on, context, view);
    draw(context, {
      answer,
      cells,
      layout,
      view,
      scroll: { x: element.scrollLeft, y: element.scrollTop },
      clientNames: names.clients,
      targetNames: names.targets,
      label,
      cursor: focused ? cursor : null,
      pointed,
      palette: colors,
    });
  });
  useLayoutEffect(paint);
  // Other rows are looked at from their beginning.
  useEffect(() => box.current?.scrollTo(0, 0), [isp, only, only && label]);

  const press = (event: KeyboardEvent) => {
    if (event.altKey || event.metaKey) return;
    const at = cursor ?? FIRST;
    const next = moved(layout, at, event.key, pageOf(layout, view), event.ctrlKey);
    if (event.key === 'Enter') open({ on: 'cell', ...at }, answer, cells);
    else if (next) {
      setPointed(null);
      moveTo(next);
      reveal(next);
    } else return;
    event.preventDefault();
  };

  if (cells.rows.length === 0 || cells.columns.length === 0) {
    return <p class="state">Nothing is degraded among what the filters leave. Take a filter away to see the rest.</p>;
  }
  const told = pointed ?? (focused ? cursor : null);
  return (
    <div class="matrix-place">
      <div
        ref={box}
        class="matrix"
        data-testid="matrix"
        role="grid"
        tabIndex={0}
        aria-label="Clients by targets"
        aria-rowcount={cells.rows.length}
        aria-colcount={cells.columns.length}
        aria-activedescendant={cursor ? cellId(cursor) : undefined}
        onScroll={() => {
          paint();
          if (told) setScrolls((count) => count + 1);
        }}
        onFocus={() => {
          setFocused(true);
          if (!cursor) moveTo(FIRST);
        }}
        onBlur={() => setFocused(false)}
        onKeyDown={press}
        onMouseMove={(event) => setPointed(cellOf(hitBy(event, layout)))}
        onMouseLeave={() => setPointed(null)}
        onClick={(event) => open(hitBy(event, layout), answer, cells)}
      >
        <div
          role="presentation"
          class={`extent${pointed ? ' pointing' : ''}`}
          style={{ width: `${layout.content.width}px`, height: `${layout.content.height}px` }}
        >
          <canvas ref={canvas} aria-hidden="true" />
        </div>
        {cursor && (
          <div role="row" class="unseen" aria-rowindex={cursor.row + 1}>
            <div role="gridcell" key={cellId(cursor)} id={cellId(cursor)} aria-colindex={cursor.column + 1}>
              {cellText(answer, cells, cursor)}
            </div>
          </div>
        )}
      </div>
      {told && (
        <CellTip
          layout={layout}
          view={view}
          box={box}
          answer={answer}
          cells={cells}
          spot={told}
          diagnoses={diagnoses}
        />
      )}
      <p class="quiet matrix-hint" aria-hidden="true">
        Point at a cell, or use the arrow keys; Enter opens the pair.
      </p>
    </div>
  );
}

/** The cursor, where its pair now is; `follow` is told when news have put that elsewhere. */
function useCursor(answer: MatrixAnswer, cells: Cells, follow: (spot: Spot) => void) {
  const [kept, keep] = useState<Cursor | null>(null);
  const cursor = useMemo(() => kept && spotOf(answer, cells, kept), [answer, cells, kept]);
  const moveTo = (spot: Spot) => {
    const pair = pairAt(answer, cells, spot);
    if (pair) keep({ pair, spot });
  };
  const last = useRef({ kept, cursor });
  useLayoutEffect(() => {
    const before = last.current;
    last.current = { kept, cursor };
    const isElsewhere = before.cursor?.row !== cursor?.row || before.cursor?.column !== cursor?.column;
    if (cursor && before.kept === kept && isElsewhere) follow(cursor);
  });
  return { cursor, moveTo };
}

/** Another one for each cell: what the cursor comes to is announced only where the active cell has changed. */
function cellId({ row, column }: Spot): string {
  return `matrix-${row}-${column}`;
}

function hitBy(event: MouseEvent, layout: Layout): Hit {
  const element = event.currentTarget as HTMLElement;
  const { left, top } = element.getBoundingClientRect();
  const scroll = { x: element.scrollLeft, y: element.scrollTop };
  return hit(layout, scroll, event.clientX - left - element.clientLeft, event.clientY - top - element.clientTop);
}

function cellOf(found: Hit): Spot | null {
  return found?.on === 'cell' ? { row: found.row, column: found.column } : null;
}

function open(found: Hit, answer: MatrixAnswer, cells: Cells): void {
  const pair = found && pairAt(answer, cells, { ...FIRST, ...found });
  if (!pair) return;
  if (found.on === 'cell') go({ view: 'pair', ...pair });
  else if (found.on === 'row') go({ view: 'client', client: pair.client, target: null });
  else go({ view: 'target', target: pair.target, client: null });
}

/** So many rows are a page. */
function pageOf({ head, cell }: Layout, view: Size): number {
  return Math.max(1, Math.floor((view.height - head.height) / cell.height) - 1);
}

// The clients × targets matrix: a canvas that draws what is seen, a cursor for keys, and words for who can't see it.

import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';

import type { Diagnosis, MatrixAnswer } from '../api/types.ts';
import { palette } from '../charts/palette.ts';
import { go } from '../state/navigation.ts';
import { fit, useFrame, useSize } from './canvas.ts';
import { cellsOf, type MatrixFilter } from './cells.ts';
import { draw } from './draw.ts';
import { hit, layoutOf, moved, revealed, type Hit, type Layout, type Spot } from './layout.ts';
import { useNames, widthsOf } from './names.ts';
import { CellWords, cellText } from './CellWords.tsx';

interface Props {
  answer: MatrixAnswer;
  diagnoses: Diagnosis[];
  filter: MatrixFilter;
}

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
  const [wish, setCursor] = useState<Spot | null>(null);
  const cursor = wish && within(layout, wish);
  const [focused, setFocused] = useState(false);

  const paint = useFrame(() => {
    const [element, on] = [box.current, canvas.current];
    const context = on?.getContext('2d');
    if (!element || !on || !context || view.width === 0) return;
    fit(on, context, view);
    const scroll = { x: element.scrollLeft, y: element.scrollTop };
    const shownCursor = focused ? cursor : null;
    draw(context, {
      answer,
      cells,
      layout,
      view,
      scroll,
      clientNames: names.clients,
      targetNames: names.targets,
      label,
      cursor: shownCursor,
      pointed,
      palette: colors,
    });
  });
  useLayoutEffect(paint);
  // Other rows are looked at from their beginning.
  useEffect(() => box.current?.scrollTo(0, 0), [isp, only, only && label]);

  const find = (event: MouseEvent): Hit => {
    const element = box.current;
    if (!element) return null;
    const { left, top } = element.getBoundingClientRect();
    const scroll = { x: element.scrollLeft, y: element.scrollTop };
    return hit(layout, scroll, event.clientX - left - element.clientLeft, event.clientY - top - element.clientTop);
  };
  const namesAt = ({ row, column }: Spot) => ({
    client: answer.clients[cells.rows[row] as number]?.client_id ?? null,
    target: answer.targets[cells.columns[column] as number] ?? null,
  });
  const open = (found: Hit) => {
    if (found?.on === 'cell') go({ view: 'pair', ...namesAt(found) });
    if (found?.on === 'row')
      go({ view: 'client', client: namesAt({ row: found.row, column: 0 }).client, target: null });
    if (found?.on === 'column') {
      go({ view: 'target', target: namesAt({ row: 0, column: found.column }).target, client: null });
    }
  };
  const press = (event: KeyboardEvent) => {
    const element = box.current;
    if (!element || event.altKey || event.metaKey) return;
    const at = cursor ?? { row: 0, column: 0 };
    if (event.key === 'Enter') {
      event.preventDefault();
      open({ on: 'cell', ...at });
      return;
    }
    const page = Math.max(1, Math.floor((view.height - layout.head.height) / layout.cell.height) - 1);
    const next = moved(layout, at, event.key, page, event.ctrlKey);
    if (!next) return;
    event.preventDefault();
    setPointed(null);
    setCursor(next);
    const scroll = revealed(layout, { x: element.scrollLeft, y: element.scrollTop }, view, next);
    element.scrollTo(scroll.x, scroll.y);
  };

  if (cells.rows.length === 0 || cells.columns.length === 0) {
    return <p class="state">Nothing is degraded among what the filters leave. Take a filter away to see the rest.</p>;
  }
  const active = pointed ?? (focused ? cursor : null);
  return (
    <div>
      <div
        ref={box}
        class="matrix"
        data-testid="matrix"
        role="grid"
        tabIndex={0}
        aria-label="Clients by targets"
        aria-rowcount={cells.rows.length}
        aria-colcount={cells.columns.length}
        aria-activedescendant={cursor ? 'matrix-cursor' : undefined}
        onScroll={paint}
        onFocus={() => {
          setFocused(true);
          setCursor((old) => old ?? { row: 0, column: 0 });
        }}
        onBlur={() => setFocused(false)}
        onKeyDown={press}
        onMouseMove={(event) => setPointed(spotOf(find(event)))}
        onMouseLeave={() => setPointed(null)}
        onClick={(event) => open(find(event))}
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
            <div role="gridcell" id="matrix-cursor" aria-colindex={cursor.column + 1}>
              {cellText(answer, cells, cursor)}
            </div>
          </div>
        )}
      </div>
      <CellWords answer={answer} cells={cells} spot={active} diagnoses={diagnoses} />
    </div>
  );
}

function spotOf(found: Hit): Spot | null {
  return found?.on === 'cell' ? { row: found.row, column: found.column } : null;
}

function within({ rows, columns }: Layout, { row, column }: Spot): Spot | null {
  return rows > 0 && columns > 0 ? { row: Math.min(row, rows - 1), column: Math.min(column, columns - 1) } : null;
}

// The plot of a chart: the drawing, and over it the crosshair and the mark, by pointer and by keys.

import { useRef, useState } from 'preact/hooks';

import type { Bounds } from '../api/client.ts';
import { showDifference } from '../frame/mark.ts';
import { go, place } from '../state/navigation.ts';
import { crosshair } from './crosshair.ts';
import { useDrawing } from './drawing.ts';
import type { SeriesOption } from './echarts.ts';
import { timeAt, xOf } from './frame.ts';
import { wholePoints } from './points.ts';

export interface Plotted {
  title: string;
  height: number;
  bounds: Bounds;
  start: number[];
  point_ms: number;
  series: SeriesOption[];
  /** Says a value of the axis; null: the chart has no values upwards. */
  value: ((value: number) => string) | null;
  /** Whether values are counts. */
  whole?: boolean;
  /** The highest value, where the axis is to say only this: for what is low. */
  top?: number;
  /** What a click on a time does, and Enter where nothing is marked. */
  pick?: (at: number) => void;
}

/** A pointer that moves less than this while it is pressed has clicked. */
const DRAG_PIXELS = 4;

export function Plot(plotted: Plotted & { said: string }) {
  const { title, height, bounds, start, series, value, whole = false, top = null, said } = plotted;
  const drawing = useRef<HTMLDivElement>(null);
  const width = useDrawing(drawing, { bounds, series, value, whole, top });
  const { dragged, ...pointer } = useDrag(plotted, width);
  const inside = dragged ?? place.value.inside;
  const at = crosshair.value;
  const x = (time: number) => xOf(time, width, bounds);
  return (
    <div
      class={plotted.pick ? 'plot picks' : 'plot'}
      role="slider"
      tabIndex={0}
      aria-label={`${title}: point in time`}
      aria-valuemin={bounds.from}
      aria-valuemax={bounds.to}
      aria-valuenow={Math.round(at ?? start.at(-1) ?? bounds.to)}
      aria-valuetext={said}
      style={{ height: `${height}px` }}
      onKeyDown={(event) => press(event, plotted)}
      {...pointer}
    >
      <div ref={drawing} class="drawing" aria-hidden="true" />
      {inside && width > 0 && inside.to > bounds.from && inside.from < bounds.to && (
        <div class="mark-area" style={{ left: `${x(inside.from)}px`, width: `${x(inside.to) - x(inside.from)}px` }} />
      )}
      {at !== null && width > 0 && at >= bounds.from && at <= bounds.to && (
        <div class="crosshair" style={{ left: `${x(at)}px` }} />
      )}
    </div>
  );
}

/** Moves the crosshair, marks what is dragged over, picks what is clicked. */
function useDrag({ bounds, point_ms, pick }: Plotted, width: number) {
  const pressedAt = useRef<number | null>(null);
  const [dragged, setDragged] = useState<Bounds | null>(null);
  const timeOf = (event: PointerEvent) => {
    const { left } = (event.currentTarget as Element).getBoundingClientRect();
    return timeAt(event.clientX - left, width, bounds);
  };
  const end = () => {
    pressedAt.current = null;
    setDragged(null);
  };
  return {
    dragged,
    onPointerDown: (event: PointerEvent) => {
      if (event.button !== 0) return;
      pressedAt.current = timeOf(event);
      // A finger that moves scrolls the page.
      if (event.pointerType !== 'touch') (event.currentTarget as Element).setPointerCapture(event.pointerId);
    },
    onPointerMove: (event: PointerEvent) => {
      const time = timeOf(event);
      crosshair.value = time;
      if (pressedAt.current === null || event.pointerType === 'touch') return;
      const moved = Math.abs(xOf(pressedAt.current, width, bounds) - xOf(time, width, bounds));
      if (dragged || moved > DRAG_PIXELS) setDragged(wholePoints(pressedAt.current, time, point_ms));
    },
    onPointerUp: () => {
      if (dragged) go({ inside: dragged, measure: null }, 'replace');
      else if (pressedAt.current !== null) pick?.(pressedAt.current);
      end();
    },
    onPointerCancel: end,
    onPointerLeave: () => {
      if (pressedAt.current === null) crosshair.value = null;
    },
  };
}

function press(event: KeyboardEvent, { bounds, start, point_ms, pick }: Plotted): void {
  if (event.altKey || event.ctrlKey || event.metaKey) return;
  const half = point_ms / 2;
  const [first, last] = [(start[0] ?? bounds.from) + half, (start.at(-1) ?? bounds.to - point_ms) + half];
  const old = crosshair.value ?? last;
  const targets: Record<string, number> = {
    ArrowLeft: old - point_ms,
    ArrowRight: old + point_ms,
    Home: first,
    End: last,
  };
  const target = targets[event.key];
  const { inside } = place.value;
  if (target !== undefined) {
    crosshair.value = Math.min(bounds.to - half, Math.max(bounds.from + half, target));
    if (event.shiftKey) go({ inside: extended(inside, old, crosshair.value, point_ms), measure: null }, 'replace');
  } else if (event.key === 'Enter' && inside) showDifference();
  else if (event.key === 'Enter' && pick) pick(old);
  else return;
  event.preventDefault();
}

/** The mark moved at the end where the crosshair is. */
function extended(inside: Bounds | null, old: number, next: number, point_ms: number): Bounds {
  if (!inside) return wholePoints(old, next, point_ms);
  const fixed = Math.abs(old - inside.from) < Math.abs(old - inside.to) ? inside.to - 1 : inside.from;
  return wholePoints(fixed, next, point_ms);
}

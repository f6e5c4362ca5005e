// The plot of a chart: the drawing, and over it the crosshair and the mark, by pointer and by keys.

import { useRef } from 'preact/hooks';

import type { Bounds } from '../api/client.ts';
import { showDifference } from '../frame/mark.ts';
import { go, place } from '../state/navigation.ts';
import { valuesText } from '../words/measures.ts';
import { crosshair } from './crosshair.ts';
import { useDrag } from './drag.ts';
import { useDrawing } from './drawing.ts';
import type { SeriesOption } from './echarts.ts';
import { timeAt, xOf, yOf } from './frame.ts';
import { markOf, type Axis, type Mark } from './mark.ts';
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
  /** The value at which the axis begins, where that is not 0. */
  floor?: number;
  /** The column whose values the axis holds: by them a region can be marked, too. */
  column?: string;
  /** The highest value, where the axis is to say only this: for what is low. */
  top?: number;
  /** A time that the chart is about: it is set off from what was before and after. */
  during?: Bounds | undefined;
  /** What a click on a time does, and Enter where nothing is marked. */
  pick?: (at: number) => void;
}

export function Plot(plotted: Plotted & { said: string }) {
  const { title, height, bounds, start, point_ms, series, value, column, during, pick, said } = plotted;
  const { whole = false, floor = 0, top = null } = plotted;
  const drawing = useRef<HTMLDivElement>(null);
  const { width, scale } = useDrawing(drawing, { bounds, series, value, whole, height, floor, top });
  const axis = column !== undefined && scale ? { column, scale, height } : null;
  const { dragged, listeners } = useDrag({
    cornerAt: (x, y) => ({ time: timeAt(x, width, bounds), y }),
    markOf: (a, b) => markOf(a, b, point_ms, axis),
    click: ({ time }) => pick?.(time),
  });
  const { inside, measure } = place.value;
  const mark = dragged ?? (inside && { inside, measure });
  const at = crosshair.value;
  return (
    <div
      class={pick ? 'plot picks' : 'plot'}
      role="slider"
      tabIndex={0}
      aria-label={`${title}: point in time`}
      aria-valuemin={bounds.from}
      aria-valuemax={bounds.to}
      aria-valuenow={Math.round(at ?? start.at(-1) ?? bounds.to)}
      aria-valuetext={said}
      style={{ height: `${height}px` }}
      onKeyDown={(event) => press(event, plotted)}
      {...listeners}
    >
      <div ref={drawing} class="drawing" aria-hidden="true" />
      {during && width > 0 && <div class="during" style={across(during, width, bounds)} aria-hidden="true" />}
      {floor > 0 && <div class="axis-cut" aria-hidden="true" />}
      {mark && width > 0 && <MarkArea mark={mark} axis={axis} width={width} bounds={bounds} />}
      {at !== null && width > 0 && at >= bounds.from && at <= bounds.to && (
        <div class="crosshair" style={{ left: `${xOf(at, width, bounds)}px` }} />
      )}
    </div>
  );
}

/** The marked region: a rectangle where this chart shows the column whose values are marked, else as high as the chart. */
function MarkArea({ mark, axis, width, bounds }: { mark: Mark; axis: Axis | null; width: number; bounds: Bounds }) {
  const { inside, measure } = mark;
  if (inside.to <= bounds.from || inside.from >= bounds.to) return null;
  const place = across(inside, width, bounds);
  if (measure === null || axis === null || measure.column !== axis.column) {
    return <div class="mark-area" style={place} aria-hidden="true" />;
  }
  const [left, right] = [xOf(inside.from, width, bounds), xOf(inside.to, width, bounds)];
  const { scale, height } = axis;
  const [top, bottom] = [yOf(measure.max ?? scale.high, height, scale), yOf(measure.min ?? scale.low, height, scale)];
  return (
    <div
      class={`mark-area bounded ${left + right > width ? 'rightwards' : 'leftwards'}`}
      style={{ ...place, top: `${top}px`, bottom: 'auto', height: `${bottom - top}px` }}
      aria-hidden="true"
    >
      <span class={measure.max === null ? 'below' : 'above'}>{valuesText(measure)}</span>
    </div>
  );
}

/** Where a part of the time lies. */
function across({ from, to }: Bounds, width: number, bounds: Bounds): { left: string; width: string } {
  const [left, right] = [xOf(from, width, bounds), xOf(to, width, bounds)];
  return { left: `${left}px`, width: `${right - left}px` };
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

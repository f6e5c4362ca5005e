// A chart over time: canvas, crosshair, mark, its figures as text, and a table behind it.

import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';

import type { Bounds } from '../api/client.ts';
import { showDifference } from '../frame/mark.ts';
import { serverNow } from '../state/clock.ts';
import { go, place } from '../state/navigation.ts';
import { axisTime, span } from '../words/times.ts';
import { crosshair } from './crosshair.ts';
import { DataTable, type TableData } from './DataTable.tsx';
import { init, type Instance, type SeriesOption } from './echarts.ts';
import { BOTTOM, LEFT, RIGHT, timeAt, TOP, xOf } from './frame.ts';
import { palette } from './palette.ts';
import { indexAt, wholePoints } from './points.ts';

export interface Reading {
  name: string;
  value: string;
  /** The token of its colour in the chart. */
  token?: string;
  shape?: 'line' | 'block' | 'cross';
}

interface Props {
  title: string;
  height: number;
  bounds: Bounds;
  start: number[];
  point_ms: number;
  series: SeriesOption[];
  /** Null: the chart has no values upwards. */
  value: ((value: number) => string) | null;
  /** Whether values are counts. */
  whole?: boolean;
  /** What the chart says of a point; of the newest where none is looked at. */
  readings: (index: number) => Reading[];
  table: () => TableData;
  tools?: ComponentChildren;
}

export function Chart(props: Props) {
  const { title, height, bounds, start, point_ms, readings, table, tools } = props;
  const id = useId();
  const at = crosshair.value;
  const pointed = indexAt(start, point_ms, at);
  const shown = pointed ?? (at === null && start.length > 0 ? start.length - 1 : null);
  const from = shown === null ? null : (start[shown] as number);
  const said = shown === null ? [] : readings(shown);
  return (
    <figure class="chart" aria-labelledby={id} data-testid="chart">
      <figcaption>
        <h2 id={id}>{title}</h2>
        {tools}
        <p class="readings">
          <span class="quiet">
            {from !== null ? span(from, from + point_ms, serverNow()) : at === null ? '' : 'no measurement'}
            {pointed === null && from !== null && ' (newest)'}
          </span>
          {said.map(({ name, value, token, shape = 'block' }) => (
            <span key={name} class="reading">
              {token && <i class={`key ${shape} ${token}`} aria-hidden="true" />}
              {name} <strong>{value}</strong>
            </span>
          ))}
        </p>
      </figcaption>
      <Plot {...props} said={saidText(from, point_ms, said)} height={height} bounds={bounds} />
      {place.value.tables && <DataTable caption={title} data={table()} />}
    </figure>
  );
}

/** What the crosshair's point says, for who hears it. */
function saidText(from: number | null, point_ms: number, said: Reading[]): string {
  if (from === null) return 'no measurement';
  return [span(from, from + point_ms, serverNow()), ...said.map(({ name, value }) => `${name} ${value}`)].join(', ');
}

function Plot({
  title,
  height,
  bounds,
  start,
  point_ms,
  series,
  value,
  whole = false,
  said,
}: Props & { said: string }) {
  const box = useRef<HTMLDivElement>(null);
  const drawing = useRef<HTMLDivElement>(null);
  const width = useDrawing(drawing, { bounds, series, value, whole });
  const drag = useRef<number | null>(null);
  const [dragged, setDragged] = useState<Bounds | null>(null);
  const inside = dragged ?? place.value.inside;
  const at = crosshair.value;

  const timeOf = (event: PointerEvent) => {
    const { left } = (box.current as HTMLDivElement).getBoundingClientRect();
    return timeAt(event.clientX - left, width, bounds);
  };
  const move = (event: PointerEvent) => {
    const time = timeOf(event);
    crosshair.value = time;
    if (drag.current !== null && Math.abs(xOf(drag.current, width, bounds) - xOf(time, width, bounds)) > 4) {
      setDragged(wholePoints(drag.current, time, point_ms));
    }
  };
  const press = (event: PointerEvent) => {
    if (event.button !== 0 || event.pointerType === 'touch') return;
    drag.current = timeOf(event);
    box.current?.setPointerCapture(event.pointerId);
  };
  const release = () => {
    if (dragged) go({ inside: dragged, measure: null }, 'replace');
    drag.current = null;
    setDragged(null);
  };
  const key = (event: KeyboardEvent) => {
    const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
    const [first, last] = [start[0], start.at(-1)];
    if (first === undefined || last === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    const old = crosshair.value ?? last + point_ms / 2;
    let next = old + step * point_ms;
    if (event.key === 'Home') next = first + point_ms / 2;
    else if (event.key === 'End') next = last + point_ms / 2;
    else if (event.key === 'Enter' && place.value.inside) {
      event.preventDefault();
      showDifference();
      return;
    } else if (step === 0) return;
    event.preventDefault();
    next = Math.min(last + point_ms / 2, Math.max(first + point_ms / 2, next));
    if (event.shiftKey) go({ inside: extended(place.value.inside, old, next, point_ms), measure: null }, 'replace');
    crosshair.value = next;
  };

  return (
    <div
      ref={box}
      class="plot"
      role="slider"
      tabIndex={0}
      aria-label={`${title}: point in time`}
      aria-valuemin={bounds.from}
      aria-valuemax={bounds.to}
      aria-valuenow={Math.round(at ?? start.at(-1) ?? bounds.to)}
      aria-valuetext={said}
      style={{ height: `${height}px` }}
      onPointerMove={move}
      onPointerDown={press}
      onPointerUp={release}
      onPointerCancel={release}
      onPointerLeave={() => drag.current === null && (crosshair.value = null)}
      onKeyDown={key}
    >
      <div ref={drawing} class="drawing" aria-hidden="true" />
      {inside && width > 0 && inside.to > bounds.from && inside.from < bounds.to && (
        <div
          class="mark-area"
          style={{
            left: `${xOf(inside.from, width, bounds)}px`,
            width: `${xOf(inside.to, width, bounds) - xOf(inside.from, width, bounds)}px`,
          }}
        />
      )}
      {at !== null && width > 0 && at >= bounds.from && at <= bounds.to && (
        <div class="crosshair" style={{ left: `${xOf(at, width, bounds)}px` }} />
      )}
    </div>
  );
}

/** The mark moved at the end where the crosshair is. */
function extended(inside: Bounds | null, old: number, next: number, point_ms: number): Bounds {
  if (!inside) return wholePoints(old, next, point_ms);
  const fixed = Math.abs(old - inside.from) < Math.abs(old - inside.to) ? inside.to - 1 : inside.from;
  return wholePoints(fixed, next, point_ms);
}

interface Drawn {
  bounds: Bounds;
  series: SeriesOption[];
  value: ((value: number) => string) | null;
  whole: boolean;
}

/** Keeps the chart library's drawing up to date; gives its width. */
function useDrawing(element: { current: HTMLDivElement | null }, { bounds, series, value, whole }: Drawn): number {
  const chart = useRef<Instance | null>(null);
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const container = element.current;
    if (!container) return;
    chart.current = init(container, null, { renderer: 'canvas' });
    const observer = new ResizeObserver(() => {
      chart.current?.resize();
      setWidth(container.clientWidth);
    });
    observer.observe(container);
    setWidth(container.clientWidth);
    return () => {
      observer.disconnect();
      chart.current?.dispose();
      chart.current = null;
    };
  }, []);
  const colors = palette.value;
  useEffect(() => {
    const quiet = { color: colors.token('quiet'), fontFamily: colors.font, fontSize: 11 };
    chart.current?.setOption(
      {
        animation: false,
        grid: { left: LEFT, right: RIGHT, top: TOP, bottom: BOTTOM, outerBoundsMode: 'none' },
        xAxis: {
          type: 'time',
          min: bounds.from,
          max: bounds.to,
          axisLine: { lineStyle: { color: colors.token('line-strong') } },
          axisTick: { lineStyle: { color: colors.token('line-strong') } },
          splitLine: { show: false },
          axisLabel: { ...quiet, hideOverlap: true, formatter: (at: number) => axisTime(at, bounds.to - bounds.from) },
        },
        yAxis: {
          type: 'value',
          min: 0,
          ...(value === null ? { max: 1, show: false } : {}),
          // Room above what is highest, so that no line lies on the edge.
          boundaryGap: [0, '4%'],
          splitNumber: 3,
          ...(whole ? { minInterval: 1 } : {}),
          axisLabel: { ...quiet, formatter: (at: number) => (value ? value(at) : '') },
          splitLine: { lineStyle: { color: colors.token('line') } },
        },
        series,
      },
      { notMerge: true },
    );
  }, [series, bounds.from, bounds.to, colors]);
  return width;
}

// What the chart library draws: axes and series, nothing that answers to a pointer.

import { useEffect, useRef, useState } from 'preact/hooks';

import type { Bounds } from '../api/client.ts';
import { axisTime } from '../words/times.ts';
import { init, type Instance, type SeriesOption } from './echarts.ts';
import { BOTTOM, LEFT, RIGHT, TOP, type Scale } from './frame.ts';
import { palette } from './palette.ts';

export interface Drawn {
  bounds: Bounds;
  series: SeriesOption[];
  value: ((value: number) => string) | null;
  whole: boolean;
  height: number;
  /** The value at which the axis begins. */
  floor: number;
  /** The value at which it ends, and the only one that it says; null: as what is drawn wants it. */
  top: number | null;
}

/** Keeps the chart library's drawing up to date; gives its width, and the scale that the library has chosen. */
export function useDrawing(
  element: { current: HTMLDivElement | null },
  { bounds, series, value, whole, height, floor, top }: Drawn,
): { width: number; scale: Scale | null } {
  const chart = useRef<Instance | null>(null);
  const [width, setWidth] = useState(0);
  const [scale, setScale] = useState<Scale | null>(null);
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
          min: floor,
          ...(value === null ? { max: 1, show: false } : {}),
          // Room above what is highest, so that no line lies on the edge.
          boundaryGap: [0, '4%'],
          splitNumber: 3,
          ...(whole ? { minInterval: 1 } : {}),
          ...(top === null ? {} : { max: top, interval: top }),
          axisLabel: { ...quiet, formatter: (at: number) => (value ? value(at) : '') },
          splitLine: { lineStyle: { color: colors.token('line') } },
        },
        series,
      },
      { notMerge: true },
    );
    const drawn = chart.current && value !== null ? scaleOf(chart.current, height) : null;
    setScale((old) => (old?.low === drawn?.low && old?.high === drawn?.high ? old : drawn));
  }, [series, bounds.from, bounds.to, floor, colors]);
  return { width, scale };
}

function scaleOf(chart: Instance, height: number): Scale | null {
  const valueAt = (y: number) => Number(chart.convertFromPixel({ yAxisIndex: 0 }, y));
  const [low, high] = [valueAt(height - BOTTOM), valueAt(TOP)];
  return high > low ? { low, high } : null;
}

// What the chart library draws: axes and series, nothing that answers to a pointer.

import { useEffect, useRef, useState } from 'preact/hooks';

import type { Bounds } from '../api/client.ts';
import { axisTime } from '../words/times.ts';
import { init, type Instance, type SeriesOption } from './echarts.ts';
import { BOTTOM, LEFT, RIGHT, TOP } from './frame.ts';
import { palette } from './palette.ts';

export interface Drawn {
  bounds: Bounds;
  series: SeriesOption[];
  value: ((value: number) => string) | null;
  whole: boolean;
  top: number | null;
}

/** Keeps the chart library's drawing up to date; gives its width. */
export function useDrawing(
  element: { current: HTMLDivElement | null },
  { bounds, series, value, whole, top }: Drawn,
): number {
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
          ...(top === null ? {} : { max: top, interval: top }),
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

// What the chart library draws: axes and series, nothing that answers to a pointer.

import { useEffect, useRef, useState } from 'preact/hooks';

import type { Bounds } from '../api/client.ts';
import { zoneChoice } from '../state/zone.ts';
import { axisTime } from '../words/times.ts';
import { init, type Instance, type SeriesOption } from './echarts.ts';
import { BOTTOM, LEFT, RIGHT, TOP, type Scale } from './frame.ts';
import { palette, type Palette } from './palette.ts';

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
  drawn: Drawn,
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
  const zone = zoneChoice.value;
  const { series, bounds, floor } = drawn;
  useEffect(() => {
    chart.current?.setOption(optionOf(drawn, colors), { notMerge: true });
    const chosen = chart.current && drawn.value !== null ? scaleOf(chart.current, drawn.height) : null;
    setScale((old) => (old?.low === chosen?.low && old?.high === chosen?.high ? old : chosen));
  }, [series, bounds.from, bounds.to, floor, colors, zone]);
  return { width, scale };
}

function optionOf({ bounds, series, value, whole, floor, top }: Drawn, colors: Palette) {
  const quiet = { color: colors.token('quiet'), fontFamily: colors.font, fontSize: 11 };
  const strong = { lineStyle: { color: colors.token('line-strong') } };
  return {
    animation: false,
    useUTC: zoneChoice.value === 'utc',
    grid: { left: LEFT, right: RIGHT, top: TOP, bottom: BOTTOM, outerBoundsMode: 'none' as const },
    xAxis: {
      type: 'time' as const,
      min: bounds.from,
      max: bounds.to,
      axisLine: strong,
      axisTick: strong,
      splitLine: { show: false },
      axisLabel: { ...quiet, hideOverlap: true, formatter: (at: number) => axisTime(at, bounds.to - bounds.from) },
    },
    yAxis: {
      type: 'value' as const,
      min: floor,
      ...(value === null ? { max: 1, show: false } : {}),
      // Room above what is highest, so that no line lies on the edge.
      boundaryGap: [0, '4%'] as [number, string],
      splitNumber: 3,
      ...(whole ? { minInterval: 1 } : {}),
      ...(top === null ? {} : { max: top, interval: top }),
      // A little nearer to the axis than usual: “12.5 Gbit/s” just fits.
      axisLabel: { ...quiet, margin: 5, formatter: (at: number) => (value ? value(at) : '') },
      splitLine: { lineStyle: { color: colors.token('line') } },
    },
    series,
  };
}

function scaleOf(chart: Instance, height: number): Scale | null {
  const valueAt = (y: number) => Number(chart.convertFromPixel({ yAxisIndex: 0 }, y));
  const [low, high] = [valueAt(height - BOTTOM), valueAt(TOP)];
  return high > low ? { low, high } : null;
}

// Blocks, lines and marks as series of the chart library.

import type { Label } from '../api/types.ts';
import { wordsOf } from '../words/labels.ts';
import type { SeriesOption } from './echarts.ts';
import type { Palette } from './palette.ts';
import type { Block, Step } from './points.ts';

const QUIET = { silent: true, animation: false } as const;

/** Rectangles; a hair of room between them where there is room for it. */
export function blocks(data: Block[], color: string, opacity: number, z: number): SeriesOption {
  return {
    ...QUIET,
    type: 'custom',
    z,
    clip: true,
    encode: { x: [0, 1], y: [2, 3] },
    data,
    renderItem: (_, api) => {
      const [left, top] = api.coord([api.value(0), api.value(3)]) as [number, number];
      const [right, bottom] = api.coord([api.value(1), api.value(2)]) as [number, number];
      const shape = { x: left, y: top, width: Math.max(1, right - left), height: Math.max(1, bottom - top) };
      return { type: 'rect', shape, style: { fill: color, opacity } };
    },
  };
}

export function line(data: Step[], color: string, width: number, z: number): SeriesOption {
  return {
    ...QUIET,
    type: 'custom',
    z,
    clip: true,
    encode: { x: [0, 1], y: [2] },
    data,
    renderItem: (parameters, api) => {
      const [from, to, value, next] = data[parameters.dataIndex] as Step;
      const points = [api.coord([from, value]), api.coord([to, value])];
      if (next !== null) points.push(api.coord([to, next]));
      return { type: 'polyline', shape: { points }, style: { stroke: color, lineWidth: width, fill: 'none' } };
    },
  };
}

/** A cross at the upper edge over each point with errors. */
export function crosses(points: { from: number; to: number }[], color: string, z: number): SeriesOption {
  return {
    ...QUIET,
    type: 'custom',
    z,
    encode: { x: [0, 1], y: [] },
    data: points.map(({ from, to }) => [from, to]),
    renderItem: (parameters, api) => {
      const [left] = api.coord([api.value(0), 0]) as [number, number];
      const [right] = api.coord([api.value(1), 0]) as [number, number];
      const top = (parameters.coordSys as unknown as { y: number }).y;
      const [x, y, size] = [(left + right) / 2, top + 6, 3.5];
      const stroke = (sign: number) => ({
        type: 'line' as const,
        shape: { x1: x - size, y1: y - size * sign, x2: x + size, y2: y + size * sign },
        style: { stroke: color, lineWidth: 1.8 },
      });
      return { type: 'group', children: [stroke(1), stroke(-1)] };
    },
  };
}

export interface LabelBlock {
  from: number;
  to: number;
  label: Label | null;
  weight: number;
}

/** Narrower blocks than this have no room for a letter. */
const LETTER_WIDTH = 11;

/** One row of labels: colour, letter, and as many bars as the severity is heavy. */
export function strip(points: LabelBlock[], palette: Palette): SeriesOption {
  return {
    ...QUIET,
    type: 'custom',
    z: 2,
    encode: { x: [0, 1], y: [] },
    data: points.map(({ from, to }) => [from, to]),
    renderItem: (parameters, api) => {
      const point = points[parameters.dataIndex] as LabelBlock;
      const { y, height } = parameters.coordSys as unknown as { y: number; height: number };
      const [left] = api.coord([point.from, 0]) as [number, number];
      const [right] = api.coord([point.to, 0]) as [number, number];
      const width = Math.max(1, right - left - (right - left > 3 ? 1 : 0));
      const shape = { x: left, y, width, height };
      if (point.label === null) {
        return { type: 'rect', shape, style: { fill: palette.token('label-unknown'), opacity: 0.7 } };
      }
      const ink = palette.onLabel(point.label);
      const { letter } = wordsOf(point.label);
      const bars = Array.from({ length: point.weight }, (_, bar) => ({
        type: 'rect' as const,
        shape: { x: left + width / 2 - 4 + bar * 3, y: y + height - 4 - (3 + bar * 2), width: 2, height: 3 + bar * 2 },
        style: { fill: ink },
      }));
      const text = {
        type: 'text' as const,
        style: {
          text: letter,
          x: left + width / 2,
          y: y + height / 2 - 4,
          fill: ink,
          align: 'center' as const,
          verticalAlign: 'middle' as const,
          font: `700 11px ${palette.font}`,
        },
      };
      const rect = { type: 'rect' as const, shape, style: { fill: palette.label(point.label) } };
      const marked = letter !== '' && width >= LETTER_WIDTH;
      return { type: 'group', children: marked ? [rect, text, ...bars] : [rect] };
    },
  };
}

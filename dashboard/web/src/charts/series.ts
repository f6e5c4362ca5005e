// Blocks, lines and marks as series of the chart library.

import type { Label } from '../api/types.ts';
import { wordsOf } from '../words/labels.ts';
import type { SeriesOption } from './echarts.ts';
import type { Palette } from './palette.ts';
import { stepPath, type Block, type Step } from './points.ts';

/** Of a line that says what is usual, and is not measured. */
export const DASH = [4, 3];

const QUIET = { silent: true, animation: false } as const;

export interface Mark {
  letter: string;
  ink: string;
  font: string;
}

/** Smaller blocks than this have no room for a letter. */
const LETTER_WIDTH = 11;
const LETTER_HEIGHT = 13;

/** What all series of rectangles are told. */
const ofBlocks = (data: Block[], z: number) => ({
  ...QUIET,
  type: 'custom' as const,
  z,
  clip: true,
  encode: { x: [0, 1], y: [2, 3] },
  data,
});

/** Rectangles: one shape for all of them, since a chart with thousands of shapes is slow. */
export function blocks(data: Block[], color: string, opacity: number, z: number): SeriesOption {
  return {
    ...ofBlocks(data, z),
    renderItem: ({ dataIndex }, api) => {
      if (dataIndex > 0) return undefined;
      const outline = data.map(([from, to, low, high]) => {
        const { x, y, width, height } = rectangle(api.coord([from, high]), api.coord([to, low]));
        return `M${x} ${y}h${width}v${height}h${-width}Z`;
      });
      return { type: 'path', shape: { pathData: outline.join('') }, style: { fill: color, opacity } };
    },
  };
}

/** Rectangles with a letter each, where there is room for one. */
export function letteredBlocks(data: Block[], color: string, z: number, mark: Mark): SeriesOption {
  return {
    ...ofBlocks(data, z),
    renderItem: ({ dataIndex }, api) => {
      const [from, to, low, high] = data[dataIndex] as Block;
      const shape = rectangle(api.coord([from, high]), api.coord([to, low]));
      const rect = { type: 'rect' as const, shape, style: { fill: color } };
      const roomy = shape.width >= LETTER_WIDTH && shape.height >= LETTER_HEIGHT;
      return { type: 'group', children: roomy ? [rect, letterIn(shape, mark)] : [rect] };
    },
  };
}

/** Between two corners, at least a pixel wide and high, with a hair of room to the next one where there is some. */
function rectangle([left = 0, top = 0]: number[], [right = 0, bottom = 0]: number[]) {
  const gap = right - left > 6 ? 0.5 : 0;
  const tenth = (value: number) => Math.round(value * 10) / 10;
  return {
    x: tenth(left),
    y: tenth(top),
    width: Math.max(1, tenth(right - left - gap)),
    height: Math.max(1, tenth(bottom - top)),
  };
}

function letterIn({ x, y, width, height }: { x: number; y: number; width: number; height: number }, mark: Mark) {
  return {
    type: 'text' as const,
    style: {
      text: mark.letter,
      x: x + width / 2,
      y: y + height / 2,
      fill: mark.ink,
      align: 'center' as const,
      verticalAlign: 'middle' as const,
      font: mark.font,
    },
  };
}

/** A line of steps, one shape as well; `dash` are the lengths of dashes and gaps. */
export function line(data: Step[], color: string, width: number, z: number, dash?: number[]): SeriesOption {
  return {
    ...QUIET,
    type: 'custom',
    z,
    clip: true,
    encode: { x: [0, 1], y: [2] },
    data,
    renderItem: ({ dataIndex }, api) => {
      if (dataIndex > 0) return undefined;
      const tenth = (pixel: number | undefined) => Math.round((pixel ?? 0) * 10) / 10;
      const x = (at: number) => tenth(api.coord([at, 0])[0]);
      const y = (value: number) => tenth(api.coord([0, value])[1]);
      const style = { stroke: color, lineWidth: width, fill: 'none', ...(dash ? { lineDash: dash } : {}) };
      return { type: 'path', shape: { pathData: stepPath(data, x, y) }, style };
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

export function letterFont(palette: Palette): string {
  return `700 11px ${palette.font}`;
}

export interface LabelBlock {
  from: number;
  to: number;
  label: Label | null;
  weight: number;
  /** Whether one of its windows has changed since it was final. */
  corrected: boolean;
}

/** How high the mark is of what was corrected. */
const CORRECTED_HEIGHT = 3;

/** One row of labels: colour, letter, as many bars as the severity is heavy, and a bar at the top of what was corrected. */
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
      const ink = point.label === null ? palette.token('text') : palette.onLabel(point.label);
      const corrected = point.corrected
        ? [{ type: 'rect' as const, shape: { ...shape, height: CORRECTED_HEIGHT }, style: { fill: ink } }]
        : [];
      if (point.label === null) {
        const rect = { type: 'rect' as const, shape, style: { fill: palette.token('label-unknown'), opacity: 0.7 } };
        return { type: 'group', children: [rect, ...corrected] };
      }
      const { letter } = wordsOf(point.label);
      const bars = Array.from({ length: point.weight }, (_, bar) => ({
        type: 'rect' as const,
        shape: { x: left + width / 2 - 4 + bar * 3, y: y + height - 4 - (3 + bar * 2), width: 2, height: 3 + bar * 2 },
        style: { fill: ink },
      }));
      const text = letterIn({ ...shape, height: height - 8 }, { letter, ink, font: letterFont(palette) });
      const rect = { type: 'rect' as const, shape, style: { fill: palette.label(point.label) } };
      const marked = letter !== '' && width >= LETTER_WIDTH;
      return { type: 'group', children: [rect, ...(marked ? [text, ...bars] : []), ...corrected] };
    },
  };
}

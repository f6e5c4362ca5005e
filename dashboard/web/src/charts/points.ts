// From an answer's columns to what is drawn: pure, and without inventing a point.

import type { UsualColumns, Values } from '../api/types.ts';

/** `[from, to, low, high]`: a rectangle over a point's whole time. */
export type Block = [from: number, to: number, low: number, high: number];

/** `[from, to, value, next]`: a level piece of a line; null where nothing follows it. */
export type Step = [from: number, to: number, value: number, next: number | null];

/** Between two columns, where both have a value. */
export function bandBlocks(start: number[], point_ms: number, low: Values, high: Values): Block[] {
  return start.flatMap((from, index): Block[] => {
    const [bottom, top] = [low[index] ?? null, high[index] ?? null];
    return bottom === null || top === null ? [] : [[from, from + point_ms, bottom, top]];
  });
}

/** The range of what is usual, which never begins below 0. */
export function usualBlocks(start: number[], point_ms: number, { low, high }: UsualColumns): Block[] {
  const floored = low.map((value) => (value === null ? null : Math.max(0, value)));
  return bandBlocks(start, point_ms, floored, high);
}

/** What is usual of several phases, added up: null where it is not known of one of them. A phase of which it is never known has no part. */
export function usualSum(columns: Values[]): Values {
  const known = columns.filter((column) => column.some((value) => value !== null));
  const [first = [], ...rest] = known;
  const added = (sum: number | null, more: number | null | undefined) =>
    sum === null || more === null || more === undefined ? null : sum + more;
  return first.map((value, index) => rest.reduce((sum, column) => added(sum, column[index]), value));
}

/** Each column on top of the ones before it; a value that is null takes no room. */
export function stackBlocks(start: number[], point_ms: number, columns: Values[]): Block[][] {
  const height = start.map(() => 0);
  return columns.map((column) =>
    start.flatMap((from, index): Block[] => {
      const value = column[index] ?? null;
      if (value === null) return [];
      const low = height[index] as number;
      height[index] = low + value;
      return [[from, from + point_ms, low, low + value]];
    }),
  );
}

/** A line of steps: level over each point's time, upright where the next point follows without a gap. */
export function steps(start: number[], point_ms: number, values: Values): Step[] {
  return start.flatMap((from, index): Step[] => {
    const value = values[index] ?? null;
    if (value === null) return [];
    const follows = start[index + 1] === from + point_ms;
    return [[from, from + point_ms, value, (follows ? values[index + 1] : null) ?? null]];
  });
}

/** The line as an SVG path, by where times and values are. */
export function stepPath(line: Step[], x: (at: number) => number, y: (value: number) => number): string {
  const pieces = line.map(([from, to, value, next], index) => {
    const follows = index > 0 && line[index - 1]?.[3] !== null;
    const level = `${follows ? 'L' : 'M'}${x(from)} ${y(value)}H${x(to)}`;
    return next === null ? level : `${level}V${y(next)}`;
  });
  return pieces.join('');
}

/** The index of the point that holds a time; null in a gap. */
export function indexAt(start: number[], point_ms: number, at: number | null): number | null {
  if (at === null) return null;
  let [low, high] = [0, start.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((start[middle] as number) <= at) low = middle + 1;
    else high = middle;
  }
  const from = start[low - 1];
  return from !== undefined && at < from + point_ms ? low - 1 : null;
}

/** A marked region in whole points. */
export function wholePoints(a: number, b: number, point_ms: number): { from: number; to: number } {
  const [low, high] = a < b ? [a, b] : [b, a];
  const from = Math.floor(low / point_ms) * point_ms;
  return { from, to: Math.max(from + point_ms, Math.ceil(high / point_ms) * point_ms) };
}

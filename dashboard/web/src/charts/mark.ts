// From a rectangle that is drawn over a chart to the region that it marks: pure.

import type { Bounds } from '../api/client.ts';
import type { Measure } from '../state/place.ts';
import { BOTTOM, TOP, valueAt, type Scale } from './frame.ts';
import { wholePoints } from './points.ts';

export interface Mark {
  inside: Bounds;
  measure: Measure | null;
}

/** A corner of the rectangle: its time, and its height on the screen. */
export interface Corner {
  time: number;
  y: number;
}

/** What a chart's axis holds: the values of one column. */
export interface Axis {
  column: string;
  scale: Scale;
  height: number;
}

/** A rectangle that is lower than this was drawn along the time: it marks no values. */
const FLAT_PIXELS = 12;
/** An end this near to the plot's edge is open: nobody hits the edge itself. */
const EDGE_SHARE = 0.06;

/** `axis` is null where the chart's heights are no column's values. */
export function markOf(a: Corner, b: Corner, point_ms: number, axis: Axis | null): Mark {
  return { inside: wholePoints(a.time, b.time, point_ms), measure: axis && measureOf(a.y, b.y, axis) };
}

/** The values between two heights; null where they hold all of the axis, or next to nothing of it. */
function measureOf(a: number, b: number, { column, scale, height }: Axis): Measure | null {
  const [upper, lower] = a < b ? [a, b] : [b, a];
  if (lower - upper < FLAT_PIXELS) return null;
  const edge = (height - TOP - BOTTOM) * EDGE_SHARE;
  const value = (y: number) => roundedTo(valueAt(y, height, scale), (scale.high - scale.low) / (height - TOP - BOTTOM));
  const min = lower >= height - BOTTOM - edge ? null : value(lower);
  const max = upper <= TOP + edge ? null : value(upper);
  return min === null && max === null ? null : { column, min, max };
}

/** To the power of ten that a pixel can still tell apart. */
function roundedTo(value: number, pixel: number): number {
  const step = 10 ** Math.floor(Math.log10(pixel));
  return Number((Math.round(value / step) * step).toPrecision(12));
}

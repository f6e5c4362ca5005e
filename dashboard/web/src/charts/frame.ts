// Where the plot of a chart lies, and between its pixels, times and values. All charts have the same, so that they line up.

import type { Bounds } from '../api/client.ts';

export const LEFT = 66;
export const RIGHT = 20;
export const TOP = 8;
export const BOTTOM = 22;

/** The values at the lower and the upper edge of a plot. */
export interface Scale {
  low: number;
  high: number;
}

export function timeAt(x: number, width: number, { from, to }: Bounds): number {
  const share = (x - LEFT) / Math.max(1, width - LEFT - RIGHT);
  return from + within(share) * (to - from);
}

export function xOf(at: number, width: number, { from, to }: Bounds): number {
  const share = within((at - from) / Math.max(1, to - from));
  return LEFT + share * Math.max(1, width - LEFT - RIGHT);
}

export function valueAt(y: number, height: number, { low, high }: Scale): number {
  const share = (height - BOTTOM - y) / Math.max(1, height - BOTTOM - TOP);
  return low + within(share) * (high - low);
}

export function yOf(value: number, height: number, { low, high }: Scale): number {
  const share = within((value - low) / (high - low));
  return height - BOTTOM - share * Math.max(1, height - BOTTOM - TOP);
}

function within(share: number): number {
  return Math.min(1, Math.max(0, share));
}

// Where the plot of a chart lies, and between its pixels and times. All charts have the same, so that they line up.

import type { Bounds } from '../api/client.ts';

export const LEFT = 66;
export const RIGHT = 20;
export const TOP = 8;
export const BOTTOM = 22;

export function timeAt(x: number, width: number, { from, to }: Bounds): number {
  const share = (x - LEFT) / Math.max(1, width - LEFT - RIGHT);
  return from + Math.min(1, Math.max(0, share)) * (to - from);
}

export function xOf(at: number, width: number, { from, to }: Bounds): number {
  const share = Math.min(1, Math.max(0, (at - from) / Math.max(1, to - from)));
  return LEFT + share * Math.max(1, width - LEFT - RIGHT);
}

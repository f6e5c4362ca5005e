// Where a chart's axis begins: at 0, unless that would flatten what is to be seen.

import type { Block, Step } from './points.ts';

/** Values that take so much of an axis from 0 are seen well enough on it. */
const LITTLE = 0.5;
/** So many marks fit between the lowest and the highest value, about. */
const MARKS = 3;
/** What is level has some room, too: this part of its value. */
const LEAST_SPREAD = 0.04;

/** A round value below all that is drawn; 0 where that takes much of the axis, or where there is nothing. */
export function floorOf(blocks: Block[], line: Step[]): number {
  const lows = [...blocks.map(([, , low]) => low), ...line.map(([, , value]) => value)];
  const highs = [...blocks.map(([, , , high]) => high), ...line.map(([, , value]) => value)];
  if (lows.length === 0) return 0;
  const [low, high] = [lows.reduce((a, b) => Math.min(a, b)), highs.reduce((a, b) => Math.max(a, b))];
  if (high - low >= LITTLE * high) return 0;
  const step = roundStep(Math.max(high - low, LEAST_SPREAD * high) / MARKS);
  // Nothing lies on the axis itself.
  return Math.max(0, Number(((Math.ceil(low / step) - 1) * step).toPrecision(12)));
}

/** The smallest of 1, 2, 5, 10, … that is no smaller. */
function roundStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  return ([1, 2, 5].find((round) => round * power >= least) ?? 10) * power;
}

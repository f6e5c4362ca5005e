// What is compared where nothing is marked: the present fault with the hour before it. Pure.

import type { Bounds } from '../../api/client.ts';
import type { Overview } from '../../api/types.ts';

const HOUR_MS = 3_600_000;

export interface Compared {
  range: Bounds;
  inside: Bounds;
}

/** Null where nothing hurts now, or nobody knows since when. */
export function presentFault({ sentence, diagnoses, window_ms }: Overview, now: number): Compared | null {
  const hurtSince = diagnoses.map(({ since }) => since).filter((since) => since !== null);
  const since = sentence.severity === null ? null : (sentence.since ?? Math.min(...hurtSince));
  if (since === null || !Number.isFinite(since) || since >= now) return null;
  const from = Math.floor(since / window_ms) * window_ms;
  return { range: { from: from - HOUR_MS, to: now }, inside: { from, to: now } };
}

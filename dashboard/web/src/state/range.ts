// The range of time that all views show.

import type { Bounds } from '../api/client.ts';

const MINUTE_MS = 60_000;

export const PRESETS = {
  '15m': { name: '15 minutes', minutes: 15 },
  '1h': { name: '1 hour', minutes: 60 },
  '3h': { name: '3 hours', minutes: 180 },
  '6h': { name: '6 hours', minutes: 360 },
  '24h': { name: '24 hours', minutes: 1_440 },
  '7d': { name: '7 days', minutes: 10_080 },
  '30d': { name: '30 days', minutes: 43_200 },
} as const;

export type Preset = keyof typeof PRESETS;
export type Range = { last: Preset } | Bounds;

export const DEFAULT_RANGE: Range = { last: '1h' };

export function isPreset(text: string): text is Preset {
  return Object.hasOwn(PRESETS, text);
}

/** From when to when. A range that follows the present ends after the minute that is being measured. */
export function boundsOf(range: Range, now_ms: number): Bounds {
  if (!('last' in range)) return range;
  const to = (Math.floor(now_ms / MINUTE_MS) + 1) * MINUTE_MS;
  return { from: to - PRESETS[range.last].minutes * MINUTE_MS, to };
}

/**
 * Whether a range shows what was, not what is. One that ends now is the present, and stays it until a further minute has been
 * measured in full: then there is something newer that it does not show.
 */
export function isPast(range: Range, now_ms: number): boolean {
  return !('last' in range) && range.to + MINUTE_MS <= now_ms;
}

/** The range of the same length that ends with a moment. */
export function endingAt({ from, to }: Bounds, at: number): Bounds {
  return { from: at - (to - from), to: at };
}

/** The named range that is nearest in length, which follows the present. */
export function following({ from, to }: Bounds): Range {
  const length = (to - from) / MINUTE_MS;
  const presets = Object.keys(PRESETS) as Preset[];
  const distance = (preset: Preset) => Math.abs(Math.log(PRESETS[preset].minutes / length));
  return { last: presets.reduce((best, preset) => (distance(preset) < distance(best) ? preset : best)) };
}

/** The range moved by a part of its own length; it stays where it was set from then on. */
export function shifted(bounds: Bounds, part: number): Bounds {
  const by = Math.round(((bounds.to - bounds.from) * part) / MINUTE_MS) * MINUTE_MS;
  return { from: bounds.from + by, to: bounds.to + by };
}

/** The longest named range that is shorter than this one, at its end, and that name; null where there is none. */
export function shorter(range: Range, now_ms: number): { range: Range; name: string } | null {
  const { from, to } = boundsOf(range, now_ms);
  const length = (to - from) / MINUTE_MS;
  const preset = (Object.keys(PRESETS) as Preset[]).filter((preset) => PRESETS[preset].minutes < length).at(-1);
  if (preset === undefined) return null;
  const { name, minutes } = PRESETS[preset];
  return { range: 'last' in range ? { last: preset } : { from: to - minutes * MINUTE_MS, to }, name };
}

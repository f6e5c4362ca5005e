// What is different inside a marked region, in a sentence.

import type { Different, Dimension, DimensionValue } from '../api/types.ts';
import type { Place } from '../state/place.ts';
import { percent } from './figures.ts';
import type { Part } from './parts.ts';
import { tagWords } from './tags.ts';
import { plural } from './text.ts';

const DIMENSIONS: Readonly<Record<string, string>> = {
  client_id: 'Client',
  target: 'Target',
  isp: 'Provider',
  network_type: 'Network',
  site: 'Site',
};

/** The head of a dimension's column: `Provider`, `Client team`. */
export function dimensionTitle(dimension: Dimension): string {
  const words = tagWords(dimension);
  return DIMENSIONS[dimension] ?? (words === null ? dimension : words.charAt(0).toUpperCase() + words.slice(1));
}

/** A difference below this is no answer to the question what is different. */
const NOTABLE = 0.1;

export function differentParts({ inside, outside, dimensions }: Different, matches: string): Part[] {
  const part = (of: { windows: number; matching: number }) =>
    of.windows === 0
      ? 'no windows'
      : `${of.matching.toLocaleString('en')} of ${plural(of.windows, 'window')} (${percent(of.matching / of.windows)})`;
  const parts: Part[] = [`Inside, ${part(inside)} ${matches}; outside, ${part(outside)}.`];
  if (inside.windows === 0 || outside.windows === 0) return parts;
  const best = dimensions[0];
  const value = best?.values[0];
  if (!best || !value || Math.abs(value.difference) < NOTABLE) {
    return [...parts, ' No client, target, provider, network or site stands out.'];
  }
  const name = value.value ?? 'unknown';
  const what = lowered(dimensionTitle(best.dimension));
  return [
    ...parts,
    ` What differs most is the ${what} `,
    { name, place: placeOf(best.dimension, value) },
    `: ${sharesText(value)}.`,
  ];
}

/** Only the first letter: the name of a label stays as it is. */
function lowered(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}

function sharesText({ inside_share, outside_share }: DimensionValue): string {
  const share = (value: number | null) => (value === null ? 'no windows' : percent(value));
  return `${share(inside_share)} inside, ${share(outside_share)} outside`;
}

/** Percentage points, with their sign. */
export function pointsText(difference: number): string {
  const points = Math.round(difference * 1000) / 10;
  const sign = points > 0 ? '+' : points < 0 ? '−' : '±';
  return `${sign}${Math.abs(points).toFixed(1)}`;
}

/** Where a value leads; null where it has no view. */
export function placeOf(dimension: Dimension, { value }: { value: string | null }): Partial<Place> | null {
  switch (dimension) {
    case 'client_id':
      return { view: 'client', client: value, target: null };
    case 'target':
      return { view: 'target', target: value, client: null };
    case 'isp':
      return { view: 'fleet', isp: value ?? '', by: 'isp', client: null, target: null };
    default:
      return null;
  }
}

// What is different inside a marked region, in a sentence.

import type { Different, Dimension, DimensionValue, MeasuredDimension, MeasurementDifference } from '../api/types.ts';
import type { Place } from '../state/place.ts';
import { percent } from './figures.ts';
import type { Part } from './parts.ts';
import { isTagDimension, taggedWith, tagWords } from './tags.ts';
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

/** What events carry and rows do not, by the names of the API. */
export const MEASURED: Record<MeasuredDimension, string> = {
  failure: 'Failure',
  status: 'Status',
  protocol: 'Protocol',
  ip_version: 'IP version',
  tls_version: 'TLS version',
  address: 'Address',
  name_server: 'Name server',
};

/** A difference below this is no answer to the question what is different. */
const NOTABLE = 0.1;
/** A value that is not this much further from the same as the next one does not stand out. */
const APART = 0.02;

interface Standing {
  difference: number;
}

/**
 * The first dimension of which a single value stands out, and the value: it differs notably, and the next one that does so in the same
 * direction, clearly less. What has no other value beside it is no answer.
 */
export function standingOut<V extends Standing, D extends string>(
  dimensions: readonly { dimension: D; values: readonly V[] }[],
): { dimension: D; value: V } | null {
  for (const { dimension, values } of dimensions) {
    const value = mostTelling(values);
    if (!value || values.length < 2 || Math.abs(value.difference) < NOTABLE) continue;
    const rival = values.find((other) => other !== value && other.difference * value.difference > 0);
    if (!rival || Math.abs(value.difference) - Math.abs(rival.difference) >= APART) return { dimension, value };
  }
  return null;
}

/** What is new inside tells more than what it takes the place of. */
function mostTelling<V extends Standing>([first, second]: readonly V[]): V | undefined {
  const replaces =
    first && second && first.difference < 0 && second.difference > 0 && -first.difference - second.difference < APART;
  return replaces ? second : first;
}

export function differentParts({ inside, outside, dimensions }: Different, matches: string): Part[] {
  const part = (of: { windows: number; matching: number }) =>
    of.windows === 0
      ? 'no windows'
      : `${of.matching.toLocaleString('en')} of ${plural(of.windows, 'window')} (${percent(of.matching / of.windows)})`;
  const parts: Part[] = [`Inside, ${part(inside)} ${matches}; outside, ${part(outside)}.`];
  if (inside.windows === 0 || outside.windows === 0) return parts;
  const found = standingOut(dimensions);
  if (found === null) return [...parts, ' No single value stands out.'];
  const { dimension, value } = found;
  return [
    ...parts,
    ` What differs most is the ${lowered(dimensionTitle(dimension))} `,
    { name: value.value ?? 'unknown', place: placeOf(dimension, value) },
    `: ${sharesText(value)}.`,
  ];
}

/** Only the first letter: the name of a label stays as it is. */
function lowered(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}

/** The same of measurements, of which the shares are of all that were read. */
export function measuredParts({ inside, outside, dimensions, is_whole }: MeasurementDifference): Part[] {
  const newest = is_whole ? '' : 'the newest ';
  const counted = `Among ${newest}${plural(inside, 'measurement')} inside and ${plural(outside, 'measurement')} outside`;
  if (inside === 0 || outside === 0) return [`${counted}, there is nothing to compare.`];
  const found = standingOut(dimensions);
  if (found === null) return [`${counted}, no single value stands out.`];
  const { dimension, value } = found;
  const what = MEASURED[dimension];
  // IP, TLS: words that are written in capitals.
  const name = /^[A-Z]{2}/.test(what) ? what : what.toLowerCase();
  const shares = `${percent(value.inside_share)} inside, ${percent(value.outside_share)} outside`;
  return [`${counted}, what differs most is the ${name} `, { name: value.value, place: null }, `: ${shares}.`];
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
      return isTagDimension(dimension) && value !== null
        ? { view: 'fleet', labelled: taggedWith([], dimension, value), by: dimension, client: null, target: null }
        : null;
  }
}

// Pairs in the order that is asked for.

import type { ComparedPair } from '../../api/types.ts';
import type { Sort } from '../../state/place.ts';
import { visible } from '../../words/text.ts';

type Key = (pair: ComparedPair) => number;

/** What is worst stands first; what is unknown, last. */
const KEYS: Partial<Record<Sort, Key>> = {
  degraded: ({ degraded_windows }) => -degraded_windows,
  failed: ({ count_error, count_total }) => (count_total === 0 ? Infinity : -count_error / count_total),
  ttfb: ({ ttfb_p95_max }) => (ttfb_p95_max === null ? Infinity : -ttfb_p95_max),
  total: ({ total_p95_max }) => (total_p95_max === null ? Infinity : -total_p95_max),
  throughput: ({ throughput_p50_min }) => throughput_p50_min ?? Infinity,
};

/** `worst` is the order of the answer. */
export function ranked(
  pairs: readonly ComparedPair[],
  sort: Sort,
  name: (pair: ComparedPair) => string,
): ComparedPair[] {
  if (sort === 'name')
    return [...pairs].sort((a, b) => visible(name(a)).localeCompare(visible(name(b)), 'en', { numeric: true }));
  const key = KEYS[sort];
  return key ? [...pairs].sort((a, b) => compare(key(a), key(b))) : [...pairs];
}

/** Infinities are equal; their difference would be no number. */
function compare(a: number, b: number): number {
  return a === b ? 0 : a < b ? -1 : 1;
}

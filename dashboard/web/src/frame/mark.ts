// From a mark on a chart to what is different in it.

import type { Bounds } from '../api/client.ts';
import { go, place } from '../state/navigation.ts';
import { bounds } from '../state/present.ts';

/**
 * Compares the marked region. The mark of a pair or an incident is compared over the whole fleet: whether client, target or provider is what hurts
 * shows only beside others. A target's or client's mark stays with it.
 */
export function showDifference(): void {
  const { view, inside, measure } = place.value;
  if (inside === null) return;
  const whole = view === 'pair' || view === 'incident' ? { client: null, target: null } : {};
  go({ view: 'different', inside, measure, ...whole, ...rangeWith(inside) });
}

/** A range to compare the region with, where the present one does not hold it: an incident's page shows times of its own. */
function rangeWith(inside: Bounds): { range?: Bounds } {
  const { from, to } = bounds();
  return from <= inside.from && inside.to <= to ? {} : { range: widened(inside) };
}

/** The region, with as much time before it and after it. */
export function widened({ from, to }: Bounds): Bounds {
  return { from: from - (to - from), to: to + (to - from) };
}

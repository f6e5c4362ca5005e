// From a mark on a chart to what is different in it.

import { go, place } from '../state/navigation.ts';

/**
 * Compares the marked region. A pair's mark is compared over the whole fleet: whether client, target or provider is what hurts
 * shows only beside others. A target's or client's mark stays with it.
 */
export function showDifference(): void {
  const { view, inside, measure } = place.value;
  if (inside) go({ view: 'different', inside, measure, ...(view === 'pair' ? { client: null, target: null } : {}) });
}

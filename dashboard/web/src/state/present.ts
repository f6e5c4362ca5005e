// The range that is shown, as times: what the present place and the present moment make of it.

import type { Bounds } from '../api/client.ts';
import { serverNow } from './clock.ts';
import { place } from './navigation.ts';
import { boundsOf, isPast } from './range.ts';

export function bounds(): Bounds {
  return boundsOf(place.value.range, serverNow());
}

/** The same for the same range, however time goes on. */
export function rangeKey(): string {
  return JSON.stringify(place.value.range);
}

export function showsPast(): boolean {
  return isPast(place.value.range, serverNow());
}

// The range that is shown, as times: what the present place and the present moment make of it.

import { computed } from '@preact/signals';

import type { Bounds } from '../api/client.ts';
import { now, serverNow } from './clock.ts';
import { place } from './navigation.ts';
import { boundsOf, isPast } from './range.ts';

export function bounds(): Bounds {
  return boundsOf(place.value.range, serverNow());
}

/** The same for the same range, however time goes on. */
export function rangeKey(): string {
  return JSON.stringify(place.value.range);
}

/** Whether all that is shown is to be told as what was; changes by itself as time goes on. */
export const showsPast = computed(() => isPast(place.value.range, now.value));

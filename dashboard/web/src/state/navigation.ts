// The place in the browser's history: back and forward work, and every place has an address.

import { signal } from '@preact/signals';

import { misread } from './misread.ts';
import { formatPlace, HOME, parsePlace, type Place } from './place.ts';

/** Marks steps of the history that this page has made: going back from them stays within it. */
const INNER = { inner: true };

export const place = signal<Place>(HOME);

/** What means nothing to the page in the address that it was opened with. */
export const notUnderstood = signal<string[]>([]);

/** A place that differs from the present one by what is said; neither a marked region nor an incident goes along to another view. */
function placeWith(change: Partial<Place>): Place {
  const leaves = change.view !== undefined && change.view !== place.value.view;
  return { ...place.value, ...(leaves ? { inside: null, measure: null, incident: null } : {}), ...change };
}

export function hrefOf(change: Partial<Place>): string {
  return location.pathname + formatPlace(placeWith(change));
}

/** Goes there; `replace` where it is no step that somebody would want to take back. */
export function go(change: Partial<Place>, how: 'push' | 'replace' = 'push'): void {
  const next = placeWith(change);
  const address = location.pathname + formatPlace(next);
  const leaves = next.view !== place.value.view;
  if (how === 'push' && address !== location.pathname + location.search) history.pushState(INNER, '', address);
  else history.replaceState(history.state, '', address);
  place.value = next;
  notUnderstood.value = [];
  if (leaves) scrollTo(0, 0);
}

export function startNavigation(): void {
  const read = () => {
    place.value = parsePlace(location.search);
    notUnderstood.value = misread(location.search);
  };
  addEventListener('popstate', read);
  read();
}

/** One step back, where the page itself has made it. */
export function goBack(): boolean {
  const inner = (history.state as typeof INNER | null)?.inner === true;
  if (inner) history.back();
  return inner;
}

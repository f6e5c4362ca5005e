// A sentence in parts, so that each name in it can be shown with care, and lead to its view.

import type { Place } from '../state/place.ts';

/** `name` is text from events; `place` is where it leads, if anywhere. */
export type Part = string | { name: string; place: Partial<Place> | null };

/** What a screen reader says, and what tests compare. */
export function plainText(parts: readonly Part[]): string {
  return parts.map((part) => (typeof part === 'string' ? part : part.name)).join('');
}

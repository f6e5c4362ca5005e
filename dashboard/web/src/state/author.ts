// The name under which the viewer writes notes.

import { signal } from '@preact/signals';

import { keep, kept } from './kept.ts';

const KEY = 'netqoe-author';

export const author = signal(kept(KEY) ?? '');

export function setAuthor(name: string): void {
  author.value = name;
  keep(KEY, name);
}

/** As it is sent: null where none is given, since the server may know one. */
export function by(): string | null {
  return author.value.trim() || null;
}

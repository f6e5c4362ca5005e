// The name under which the viewer writes notes.

import { signal } from '@preact/signals';

const KEY = 'netqoe-author';

export const author = signal(kept());

export function setAuthor(name: string): void {
  author.value = name;
  try {
    localStorage.setItem(KEY, name);
  } catch {
    // A browser that keeps nothing for this page: the name lasts as long as the page.
  }
}

/** As it is sent: null where none is given, since the server may know one. */
export function by(): string | null {
  return author.value.trim() || null;
}

function kept(): string {
  try {
    return localStorage.getItem(KEY) ?? '';
  } catch {
    return '';
  }
}

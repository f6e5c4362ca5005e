// Text from events, made fit to be seen: what would be invisible or turn other text around is shown as a sign.

/** Controls, marks that change the direction of text, and what has no width. */
// prettier-ignore
const UNSEEN = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]/g;

/** By code, as fonts have no pictures of most of them. Joiners stay: emoji and several scripts are written with them. */
export function visible(text: string): string {
  return text.replace(UNSEEN, codeOf);
}

/** A name, of which something is to be seen: also one that is made of spaces. */
export function visibleName(name: string): string {
  return name.trim() === '' ? name.replace(/./gsu, codeOf) : visible(name);
}

function codeOf(unseen: string): string {
  return `[U+${unseen.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}]`;
}

/** The text of at most so many characters as they are seen; what is cut is cut from the middle, since names differ at their ends. */
export function cut(text: string, length: number): string {
  if (text.length <= length) return text;
  const seen = Array.from(segments.segment(text), ({ segment }) => segment);
  if (seen.length <= length) return text;
  const tail = Math.floor((length - 1) / 2);
  return `${seen.slice(0, length - 1 - tail).join('')}…${tail ? seen.slice(-tail).join('') : ''}`;
}

const segments = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** The scheme and the last slash of a URL tell nothing where all targets have them. */
export function short(name: string): string {
  return name.replace(/^https?:\/\/(?=[^/])/, '').replace(/(?<=[^/])\/$/, '');
}

/** What each name is shown as in a row of names: short, unless two would look alike. */
export function shortNames(names: readonly string[]): string[] {
  const shown = names.map((name) => visible(short(name)));
  const count = new Map<string, number>();
  for (const name of shown) count.set(name, (count.get(name) ?? 0) + 1);
  return shown.map((name, index) => (count.get(name) === 1 ? name : visible(names[index] as string)));
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString('en')} ${count === 1 ? one : many}`;
}

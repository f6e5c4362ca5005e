// Labels that people give to clients and targets. In code they are tags: a label is what a diagnosis says.

import type { Labels } from '../api/types.ts';
import { visible } from './text.ts';

/** As `site Oslo, team core`; nothing where there are none. */
export function tagsText(labels: Labels | undefined): string {
  const tags = Object.entries(labels ?? {}).map(([name, value]) => `${name} ${value}`);
  return visible(tags.join(', '));
}

/** As `client team` for `client.team`; null for what is no label. */
export function tagWords(dimension: string): string | null {
  return isTagDimension(dimension) ? dimension.replace('.', ' ') : null;
}

/** A label and its value, as they are asked for: `client.team=core`. */
export type Tagged = `${TagDimension}=${string}`;

export function isTagged(text: string): text is Tagged {
  return text.includes('=') && isTagDimension(text.slice(0, text.indexOf('=')));
}

/** As `client team core`. */
export function taggedText(tagged: Tagged): string {
  const end = tagged.indexOf('=');
  return visible(`${tagWords(tagged.slice(0, end)) ?? ''} ${tagged.slice(end + 1) || '(empty)'}`);
}

/** What the server takes at once. */
export const MOST_TAGGED = 8;

/** These labels and one more, which takes the place of another value of the same label; of too many, the oldest go. */
export function taggedWith(all: readonly Tagged[], dimension: TagDimension, value: string): Tagged[] {
  const others = all.filter((other) => !other.startsWith(`${dimension}=`));
  return [...others, `${dimension}=${value}` as const].slice(-MOST_TAGGED);
}

/** Whether a dimension is a label of clients or of targets. */
export function isTagDimension(dimension: string): dimension is TagDimension {
  return /^(client|target)\.[a-zA-Z_][a-zA-Z0-9_]{0,63}$/.test(dimension);
}

export type TagDimension = `client.${string}` | `target.${string}`;

/** The value that something has of a label; null without it. */
export function tagOf(
  tagged: { client_labels: Labels; target_labels: Labels },
  dimension: TagDimension,
): string | null {
  const [side = '', name = ''] = dimension.split('.');
  const labels = side === 'client' ? tagged.client_labels : tagged.target_labels;
  return Object.hasOwn(labels, name) ? (labels[name] ?? null) : null;
}

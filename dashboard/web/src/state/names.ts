// The names of all clients and targets, to find one among them.

import { ask } from '../api/client.ts';
import type { Items } from '../api/types.ts';
import { networkText } from '../words/network.ts';
import { normalisedTarget } from '../words/target.ts';
import { plural } from '../words/text.ts';

export interface Named {
  kind: 'client' | 'target';
  name: string;
  about: string;
}

/** So many pages of a thousand names are read; who has more finds the first of them. */
const MOST_PAGES = 10;

export async function allNames(signal: AbortSignal): Promise<Named[]> {
  const [clients, targets] = await Promise.all([
    every((cursor) => ask.clients(cursor, signal)),
    every((cursor) => ask.targets(cursor, signal)),
  ]);
  return [
    ...targets.map(({ target, client_count }): Named => {
      return { kind: 'target', name: target, about: plural(client_count, 'client') };
    }),
    ...clients.map(({ client_id, isp, network_type }): Named => {
      return { kind: 'client', name: client_id, about: networkText({ isp, network_type }) };
    }),
  ];
}

async function every<T>(page: (cursor: string | null) => Promise<Items<T>>): Promise<T[]> {
  const items: T[] = [];
  let cursor: string | null = null;
  for (let read = 0; read < MOST_PAGES; read++) {
    const answer: Items<T> = await page(cursor);
    items.push(...answer.items);
    cursor = answer.next_cursor;
    if (cursor === null) break;
  }
  return items;
}

/** Names that have the text in them, as it is typed or as a target is spelled: those that begin with it first, otherwise in their order. */
export function found(names: readonly Named[], text: string, most: number): Named[] {
  const typed = text.trim();
  const wanted = new Set([typed, normalisedTarget(typed)].map((text) => text.toLowerCase()));
  const at = ({ name }: Named) => {
    const places = [...wanted].map((text) => name.toLowerCase().indexOf(text)).filter((place) => place >= 0);
    return places.length > 0 ? Math.min(...places) : -1;
  };
  const having = names.filter((named) => at(named) >= 0);
  return having.sort((a, b) => Math.min(1, at(a)) - Math.min(1, at(b))).slice(0, most);
}

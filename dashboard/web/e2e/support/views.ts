// Every view of the page, by its address.

import type { Page } from '@playwright/test';

import { expect } from './test.ts';
import type { Netqoe } from './netqoe.ts';

export interface Shown {
  client: string;
  target: string;
  /** The region that is compared. */
  inside: { from: number; to: number };
}

export interface View {
  name: string;
  query: Record<string, string>;
  /** All seen once the view has its answers. */
  ready: string[];
}

/** All views of one pair, its client and its target; with a table behind each chart. */
export function viewsOf({ client, target, inside }: Shown): View[] {
  const region = { inside_from: String(inside.from), inside_to: String(inside.to) };
  const grouped = (by: string): View => ({
    name: `fleet by ${by}`,
    query: { by, tables: '1' },
    ready: ['chart', 'matrix'],
  });
  return [
    ...['target', 'client', 'isp'].map(grouped),
    { name: 'pair', query: { view: 'pair', client, target, tables: '1', ...region }, ready: ['evidence'] },
    { name: 'target', query: { view: 'target', target, tables: '1' }, ready: ['pairs'] },
    { name: 'client', query: { view: 'client', client, tables: '1' }, ready: ['pairs'] },
    { name: 'different', query: { view: 'different', ...region }, ready: ['different-sentence'] },
    { name: 'pipeline', query: { view: 'pipeline' }, ready: ['partitions'] },
  ];
}

export async function show(page: Page, { origin }: Netqoe, { query, ready }: View, more = {}): Promise<void> {
  await page.goto(`${origin}/?${new URLSearchParams({ ...query, ...more })}`);
  for (const part of ready) await expect(page.getByTestId(part)).toBeVisible();
}

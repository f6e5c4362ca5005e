// The faults that `up --demo` plants into its history, as benchmarks/src/demo.rs states them.

import { expect } from '@playwright/test';

import type { Label } from '../../src/api/types.ts';
import { answers } from './api.ts';
import type { Netqoe } from './netqoe.ts';

const MINUTE_MS = 60_000;
const QUIET_MINUTES = 8;
const EVERY_MINUTES = 4;
const LASTS_MINUTES = 3;

export interface Fault {
  label: Label;
  target: string;
  from: number;
  to: number;
}

/** Those that are over when the demo goes live. */
const PLANTED: [Label, string][] = [
  ['dns-bound', 'https://www.example.com/'],
  ['handshake-bound', 'https://api.example.com/'],
  ['server-bound', 'https://cdn.example.com/'],
  ['throughput-bound', 'https://shop.example.com/'],
  ['error-bound', 'https://video.example.com/'],
];

export const CLIENTS = 20;
export const TARGETS = 6;
export const PROVIDERS = ['Northline', 'Fjordnet', 'Cablecore', 'Skymobile'];

/** Waits until the demo's history has become rows. */
export async function digested(netqoe: Netqoe): Promise<void> {
  const last = PLANTED.at(-1)?.[0] as Label;
  await expect
    .poll(async () => {
      const [{ items }, { lag_records }] = await Promise.all([
        answers.diagnoses(netqoe, { label: last }),
        answers.pipeline(netqoe),
      ]);
      return items.length > CLIENTS && lag_records === 0;
    }, 'the history has become rows')
    .toBe(true);
}

/** The schedule counts from when the demo was started; so its first fault tells where all are. */
export async function faultsOf(netqoe: Netqoe): Promise<Fault[]> {
  const [label, target] = PLANTED[0] as [Label, string];
  const { items } = await answers.diagnoses(netqoe, { label, target });
  const first = Math.min(...items.map(({ window_start_ts }) => window_start_ts));
  return PLANTED.map(([label, target], number) => {
    const from = first + number * EVERY_MINUTES * MINUTE_MS;
    return { label, target, from, to: from + LASTS_MINUTES * MINUTE_MS };
  });
}

/** A range that ends within a fault: the page then tells of the moment when it was. */
export function within({ from }: Fault): { from: number; to: number } {
  return { from: from - QUIET_MINUTES * MINUTE_MS, to: from + 2 * MINUTE_MS };
}

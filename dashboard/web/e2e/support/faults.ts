// The faults that `up --demo` plants into its history: what simulator/src/demo makes of the seed in netqoe/src/commands/demo.rs.

import { expect } from '@playwright/test';

import type { Label } from '../../src/api/types.ts';
import { answers } from './api.ts';
import type { Netqoe } from './netqoe.ts';

const MINUTE_MS = 60_000;
/** The demo's history, and the time that it may take until somebody asks. */
const LONGEST_AGO_MS = 90 * MINUTE_MS;
/** After so many minutes of a fault every pair that has it is diagnosed. */
const NAMED_MINUTES = 5;

/** A client that has the fault of the slow server, and none meanwhile. */
const WITNESS = 'demo-07';

/** Of the pairs of the fleet those that have all that is named. */
interface Place {
  client_id?: string;
  isp?: string;
  network_type?: string;
  target?: string;
}

export interface Fault {
  label: Label;
  place: Place;
  /** How many pairs have it. */
  pairs: number;
  from: number;
  to: number;
}

/** What all clients have with one target, while all else is well. */
export interface SlowServer extends Fault {
  target: string;
}

const SLOW = 'https://www.example.com/';

/** From the demo's start on: the minutes of each fault. The last one is going on when the demo goes live. */
const PLANTED: [Label, Place, number, [from: number, to: number]][] = [
  ['throughput-bound', { client_id: 'demo-19' }, 6, [13, 22]],
  ['error-bound', { network_type: 'cellular' }, 36, [13, 21]],
  ['server-bound', { target: SLOW }, 20, [28, 42]],
  ['handshake-bound', { isp: 'Skymobile', target: 'https://cdn.example.com/' }, 5, [46, 52]],
  ['server-bound', { isp: 'Northline' }, 30, [47, 51]],
  ['dns-bound', { isp: 'Cablecore' }, 30, [50, 70]],
];
const SLOW_SERVER = 2;

export const CLIENTS = 20;
export const TARGETS = 6;
export const PROVIDERS = ['Northline', 'Fjordnet', 'Cablecore', 'Skymobile'];

/**
 * Waits until the demo's history has become rows. And its last fault an incident, unless the log took all of the history in one minute:
 * incidents are found minute by minute of the log.
 */
export async function digested(netqoe: Netqoe, hasIncidents: boolean): Promise<void> {
  const [label, , pairs] = PLANTED.at(-1) as (typeof PLANTED)[number];
  await expect
    .poll(async () => {
      const [{ items }, { lag_records }, incidents] = await Promise.all([
        answers.diagnoses(netqoe, { label }),
        answers.pipeline(netqoe),
        answers.incidents(netqoe, { label }),
      ]);
      return items.length > pairs && lag_records === 0 && (!hasIncidents || incidents.items.length > 0);
    }, 'the history has become rows and incidents')
    .toBe(true);
}

/** The schedule counts from when the demo was started; where it is, is told by the first slow window of the slow server. */
export async function faultsOf(netqoe: Netqoe): Promise<Fault[]> {
  const range = { from: Date.now() - LONGEST_AGO_MS, to: Date.now() };
  const { start, p50, point_ms } = await answers.series(netqoe, WITNESS, SLOW, range);
  expect(point_ms).toBe(MINUTE_MS);
  const first = p50.ttfb[0] ?? Number.NaN;
  const slow = start[p50.ttfb.findIndex((value) => (value ?? 0) > 2 * first)] ?? Number.NaN;
  const began = slow - (PLANTED[SLOW_SERVER]?.[3][0] ?? 0) * MINUTE_MS;
  return PLANTED.map(([label, place, pairs, [from, to]]) => ({
    label,
    place,
    pairs,
    from: began + from * MINUTE_MS,
    to: began + to * MINUTE_MS,
  }));
}

export async function slowServerOf(netqoe: Netqoe): Promise<SlowServer> {
  return { ...((await faultsOf(netqoe))[SLOW_SERVER] as Fault), target: SLOW };
}

/** A range that ends within a fault, when all of it is named: the page then tells of that moment. */
export function within({ from }: Fault): { from: number; to: number } {
  return { from: from - 8 * MINUTE_MS, to: from + NAMED_MINUTES * MINUTE_MS };
}

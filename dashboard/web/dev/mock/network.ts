// A made-up network for looking at the page without a netqoe: every figure here is invented by a formula, none is measured.
// A fault of three minutes at one target every four minutes: more often than on any network, so that there is always one to look at.

import type { Evidence, Label, Severity } from '../../src/api/types.ts';

export const MINUTE_MS = 60_000;

const ISPS = ['Northline', 'Fjordnet', 'Cablecore', 'Skymobile'];
const NETWORKS = ['ethernet', 'wifi', 'cellular'];
const KINDS: Label[] = ['dns-bound', 'handshake-bound', 'server-bound', 'throughput-bound', 'error-bound'];
export const FAULT_EVERY = 4;
export const FAULT_MINUTES = 3;

export interface Window {
  start: number;
  label: Label | null;
  severity: Severity | null;
  evidence: Evidence | null;
  total: number;
  errors: number;
  p50: Record<'dns' | 'tcp' | 'tls' | 'ttfb' | 'throughput', number>;
  p95: Record<'dns' | 'tcp' | 'tls' | 'ttfb' | 'throughput', number>;
}

export class Network {
  readonly clients: { client_id: string; isp: string | null; network_type: string | null }[];
  readonly targets: string[];

  constructor(clients: number, targets: number) {
    this.clients = Array.from({ length: clients }, (_, index) => ({
      client_id: `demo-${String(index + 1).padStart(2, '0')}`,
      isp: ISPS[index % ISPS.length] ?? null,
      network_type: NETWORKS[index % NETWORKS.length] ?? null,
    }));
    const hosts = ['www', 'api', 'cdn', 'shop', 'video', 'login'];
    this.targets = Array.from({ length: targets }, (_, index) =>
      index < hosts.length
        ? `https://${hosts[index]}.example.com/`
        : `https://t-${String(index).padStart(3, '0')}.example.net/`,
    ).sort();
  }

  fault(target: number, minute: number): Label | null {
    if (this.faulty(minute) !== target) return null;
    return KINDS[Math.floor(minute / FAULT_EVERY) % KINDS.length] as Label;
  }

  /** The target that has a fault in this minute. */
  faulty(minute: number): number | null {
    if (minute % FAULT_EVERY >= FAULT_MINUTES) return null;
    return Math.floor(minute / FAULT_EVERY) % Math.min(6, this.targets.length);
  }

  window(client: number, target: number, start: number): Window {
    return this.windowWith(this.fault(target, start / MINUTE_MS), client, target, start);
  }

  private windowWith(label: Label | null, client: number, target: number, start: number): Window {
    const minute = start / MINUTE_MS;
    const around = (mean: number, salt: number) => mean * (1 + 0.03 * (noise(client, target, minute, salt) - 0.5));
    const distance = 0.4 + (target % 7) * 0.15;
    const usual = {
      dns: 14,
      tcp: 20 * distance,
      tls: 35 * distance,
      ttfb: 90 * distance,
      throughput: 60 + 40 * (client % 4),
    };
    const now = { ...usual };
    if (label === 'dns-bound') now.dns *= 30;
    if (label === 'handshake-bound') [now.tcp, now.tls] = [now.tcp * 3, now.tls * 3];
    if (label === 'server-bound') now.ttfb *= 4;
    if (label === 'throughput-bound') now.throughput *= 0.3;
    const p50 = mapped(now, (value, salt) => around(value, salt));
    const p95 = mapped(p50, (value, salt) => value * (1.04 + 0.08 * noise(client, target, minute, salt + 9)));
    const errors = label === 'error-bound' ? 4 : noise(client, target, minute, 30) > 0.98 ? 1 : 0;
    return {
      start,
      label: label ?? 'healthy',
      severity: label ? ((['minor', 'major', 'critical'] as const)[(client + target) % 3] ?? 'minor') : null,
      evidence: label ? evidence(label, usual, p95, start) : null,
      total: 5,
      errors,
      p50,
      p95,
    };
  }

  usualOf(client: number, target: number, start: number) {
    const { p50 } = this.windowWith(null, client, target, Math.floor(start / (10 * MINUTE_MS)) * 10 * MINUTE_MS);
    const handshake = p50.tcp + p50.tls;
    return {
      dns: p50.dns,
      handshake,
      ttfb: p50.ttfb,
      total: p50.dns + handshake + p50.ttfb,
      throughput: p50.throughput,
    };
  }
}

type Phases = Window['p50'];

function mapped(values: Phases, change: (value: number, salt: number) => number): Phases {
  const keys = Object.keys(values) as (keyof Phases)[];
  return Object.fromEntries(keys.map((key, index) => [key, change(values[key], index)])) as unknown as Phases;
}

/** When the fault began that a minute is of. */
export function sinceOf(start: number): number {
  return Math.floor(start / MINUTE_MS / FAULT_EVERY) * FAULT_EVERY * MINUTE_MS;
}

function evidence(label: Label, usual: Phases, p95: Phases, start: number): Evidence {
  const counted = { samples: 10, bad_samples: 8, windows: 2, since: sinceOf(start) };
  const of = (stage: string, unit: Evidence['unit'], observed: number, middle: number): Evidence => {
    const [usual_low, usual_high] = [middle * 0.96, middle * 1.09];
    const range = { usual: middle, usual_low, usual_high };
    return { stage, unit, observed, ...range, sigmas: null, share_of_total: null, ...counted };
  };
  const total = p95.dns + p95.tcp + p95.tls + p95.ttfb;
  switch (label) {
    case 'dns-bound':
      return { ...of('dns', 'ms', p95.dns, usual.dns), share_of_total: p95.dns / total };
    case 'handshake-bound':
      return {
        ...of('handshake', 'ms', p95.tcp + p95.tls, usual.tcp + usual.tls),
        share_of_total: (p95.tcp + p95.tls) / total,
      };
    case 'server-bound':
      return { ...of('ttfb', 'ms', p95.ttfb, usual.ttfb), share_of_total: p95.ttfb / total };
    case 'throughput-bound':
      return of('throughput', 'Mbit/s', p95.throughput, usual.throughput);
    default:
      return {
        ...of('tls', 'share', 0.8, 0),
        usual: null,
        usual_low: null,
        usual_high: null,
      };
  }
}

/** From 0 to 1, the same for the same numbers. */
function noise(...numbers: number[]): number {
  let hash = 2166136261;
  for (const number of numbers) hash = Math.imul(hash ^ (number | 0), 16777619) ^ (hash >>> 13);
  return ((hash >>> 0) % 10_000) / 10_000;
}

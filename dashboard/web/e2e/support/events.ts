// Events as a probe sends them.

import { randomUUID } from 'node:crypto';

import type { Netqoe } from './netqoe.ts';

export interface Measured {
  client_id: string;
  target: string;
  isp?: string;
  network_type?: string;
  client_labels?: Record<string, string>;
  target_labels?: Record<string, string>;
  error_stage?: 'dns' | 'tcp' | 'tls' | 'http' | 'throughput' | null;
  timings?: Partial<typeof USUAL>;
  evidence?: object;
  /** Now, where it is absent. */
  ts_ms?: number;
}

const USUAL = { dns_ms: 15.3, tcp_ms: 25.7, tls_ms: 45.2, ttfb_ms: 125.8, throughput_mbps: 95.4 };

/** An event as a probe sends it. */
export function event(measured: Measured) {
  const {
    client_id,
    target,
    isp = 'Northline',
    network_type = 'wifi',
    error_stage = null,
    timings,
    evidence,
    client_labels,
    target_labels,
    ts_ms = Date.now(),
  } = measured;
  return {
    event_id: randomUUID(),
    client_id,
    target,
    ts_ms,
    network_context: { isp, network_type },
    timing_measurements: { ...USUAL, ...timings },
    error_stage,
    ...(evidence && { evidence }),
    ...(client_labels && { client_labels }),
    ...(target_labels && { target_labels }),
  };
}

/** Sends them; all must be taken. */
export async function post(netqoe: Netqoe, events: Measured[], token?: string): Promise<void> {
  const response = await fetch(`${netqoe.ingest}/api/v1/events`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(token ? { authorization: `Bearer ${token}` } : {}) },
    body: JSON.stringify(events.map(event)),
  });
  const answer = (await response.json()) as { rejected?: number };
  if (!response.ok || answer.rejected !== 0) throw new Error(`events were refused: ${JSON.stringify(answer)}`);
}

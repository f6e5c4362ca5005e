// One measurement as a waterfall: its phases one after the other, and where it failed.

import { number, object, type Json } from './json.ts';

export interface Bar {
  name: string;
  /** The token of its colour in style/tokens.css. */
  token: string;
  /** From the beginning of the measurement, ms. */
  from: number;
  to: number;
  failed: boolean;
}

export interface Waterfall {
  bars: Bar[];
  /** How long all of it took, ms; 0 where nothing was measured. */
  total: number;
}

/** In the order in which a measurement goes through them; `failing` is the `error_stage` at which it can fail. */
const PHASES = [
  { name: 'Redirects', token: 'phase-redirects', of: 'evidence', member: 'redirects_ms', failing: null },
  { name: 'DNS', token: 'phase-dns', of: 'timings', member: 'dns_ms', failing: 'dns' },
  { name: 'TCP', token: 'phase-tcp', of: 'timings', member: 'tcp_ms', failing: 'tcp' },
  { name: 'TLS', token: 'phase-tls', of: 'timings', member: 'tls_ms', failing: 'tls' },
  { name: 'Request', token: 'phase-request', of: 'evidence', member: 'request_ms', failing: null },
  { name: 'First byte', token: 'phase-ttfb', of: 'timings', member: 'ttfb_ms', failing: 'http' },
  { name: 'Transfer', token: 'phase-transfer', of: 'evidence', member: 'body_ms', failing: 'throughput' },
] as const;

/** Less is the probe's own work, and no wait. */
const NOTABLE_REST_MS = 0.5;

/**
 * What is in no phase stands where the measurement failed, since that phase has no time of its own; else it is the wait between
 * phases, such as for addresses that did not answer, and stands at the end.
 */
export function waterfall(event: Json): Waterfall {
  const evidence = object(event['evidence']);
  const timings = { ...object(event['timings']), ...object(event['timing_measurements']) };
  const stage = stageOf(event);
  const spans = PHASES.map(({ name, token, of, member, failing }) => {
    const took = number((of === 'timings' ? timings : evidence)[member]);
    return { name, token, took: took === null ? null : Math.max(0, took), failed: stage !== null && failing === stage };
  });
  // What others may have written behind it was not measured.
  const failure = spans.findIndex(({ failed }) => failed);
  if (failure >= 0) spans.splice(failure + 1);
  const measured = spans.reduce((sum, { took }) => sum + (took ?? 0), 0);
  const total = Math.max(number(evidence['total_ms']) ?? 0, measured);
  const rest = total - measured;
  const bars: Bar[] = [];
  let at = 0;
  for (const { name, token, took, failed } of spans) {
    if (took === null && !failed) continue;
    // A phase that has a time and failed took that time, and what is left as well.
    const length = (took ?? 0) + (failed ? rest : 0);
    bars.push({ name, token, from: at, to: at + length, failed });
    at += length;
  }
  if (at < total && total - at >= NOTABLE_REST_MS) {
    bars.push({ name: 'Between phases', token: 'phase-rest', from: at, to: total, failed: false });
  }
  return { bars, total };
}

/** Where it failed, in lower case; null where it did not. */
export function stageOf(event: Json): string | null {
  const stage = event['error_stage'];
  return typeof stage === 'string' ? stage.toLowerCase() : null;
}

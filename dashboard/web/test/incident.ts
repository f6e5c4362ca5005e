// Incidents for tests: each differs from this one by what a test says.

import type { Incident } from '../src/api/types.ts';

export const MINUTE = 60_000;
export const OPENED = Date.UTC(2026, 10, 24, 14, 2);

export function incidentOf(change: Partial<Incident> = {}): Incident {
  return {
    id: '0123456789abcdef',
    label: 'server-bound',
    cause: { dimension: 'target', value: ['https://t-7/'] },
    state: 'open',
    withdrawn_because: null,
    opened: OPENED,
    detected: OPENED + MINUTE,
    named: OPENED + MINUTE,
    last: OPENED + 5 * MINUTE,
    closed: null,
    severity: 'major',
    peak_severity: 'major',
    evidence: { at_first: { degraded: 10, healthy: 4 }, now: { degraded: 12, healthy: 2 } },
    pairs: 14,
    clients: 14,
    targets: 1,
    revision: 0,
    as_of: OPENED + 6 * MINUTE,
    sentence: 'Target https://t-7/ is slow to answer for 12 of 14 clients',
    acknowledged: null,
    planned: false,
    ...change,
  };
}

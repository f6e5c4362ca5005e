// Overviews for tests: a fleet of clients and targets, some pairs of which are hurt.

import type { Diagnosis, Evidence, HurtGroup, Label, Overview, Severity } from '../src/api/types.ts';

export const AT = Date.UTC(2026, 10, 24, 14, 10);
export const SINCE = Date.UTC(2026, 10, 24, 14, 2);

const EVIDENCE: Evidence = {
  stage: 'ttfb',
  unit: 'ms',
  observed: 412,
  usual: 96,
  usual_low: 88,
  usual_high: 105,
  sigmas: null,
  share_of_total: 0.8,
  samples: 4,
  bad_samples: 4,
  windows: 2,
  since: SINCE,
};

export interface Hurt {
  client: number;
  target: number;
  label?: Label;
  since?: number;
  severity?: Severity;
}

/** Client i is with provider i mod `isps`. */
export function overviewOf(clients: number, targets: number, isps: number, hurt: Hurt[], unknown = 0): Overview {
  const diagnoses = hurt.map(
    ({ client, target, label = 'server-bound', since = SINCE, severity = 'major' }): Diagnosis => ({
      client_id: `c-${client}`,
      target: `t-${target}`,
      isp: `isp-${client % isps}`,
      network_type: 'wifi',
      window_start_ts: AT,
      label,
      severity,
      since,
      evidence: EVIDENCE,
      is_final: false,
    }),
  );
  const groups = (key: (diagnosis: Diagnosis) => string | null) => {
    const map = new Map<string | null, Diagnosis[]>();
    for (const diagnosis of diagnoses) map.set(key(diagnosis), [...(map.get(key(diagnosis)) ?? []), diagnosis]);
    return [...map].map(([name, of]) => ({ name, of }));
  };
  const group = (of: Diagnosis[], pairs: number): HurtGroup => {
    const { label, severity } = of[0] as Diagnosis;
    const since = Math.min(...of.map((diagnosis) => diagnosis.since ?? Infinity));
    return { label, severity, since, degraded_pairs: of.length, pairs };
  };
  const unique = (of: Diagnosis[], key: (diagnosis: Diagnosis) => string) => [...new Set(of.map(key))];
  const byTarget = groups(({ target }) => target);
  const byClient = groups(({ client_id }) => client_id);
  const total = clients * targets;
  return {
    at: AT,
    window_ms: 60_000,
    pairs: { total, degraded: hurt.length, unknown, healthy: total - hurt.length - unknown },
    targets: { total: targets, degraded: byTarget.length },
    clients: { total: clients, degraded: byClient.length },
    freshness: { newest_row_as_of: AT, newest_row_updated_at: AT },
    events: { read: 10, accepted: 10, duplicate: 0, late: 0, invalid: 0 },
    by_target: byTarget.map(({ name, of }) => {
      const names = unique(of, ({ isp }) => isp ?? '');
      return {
        target: name ?? '',
        ...group(of, clients),
        clients: unique(of, ({ client_id }) => client_id).slice(0, 5),
        client_count: of.length,
        isps: names,
        isp_count: names.length,
        all_isps: names.length === Math.min(isps, clients),
      };
    }),
    by_client: byClient.map(({ name, of }) => ({
      client_id: name ?? '',
      isp: of[0]?.isp ?? null,
      network_type: 'wifi',
      ...group(of, targets),
      targets: of.map(({ target }) => target).slice(0, 5),
      target_count: of.length,
    })),
    by_isp: groups(({ isp }) => isp).map(({ name, of }) => ({
      isp: name,
      ...group(of, Math.ceil(clients / isps) * targets),
      clients: unique(of, ({ client_id }) => client_id).slice(0, 5),
      client_count: unique(of, ({ client_id }) => client_id).length,
      targets: unique(of, ({ target }) => target).slice(0, 5),
      target_count: unique(of, ({ target }) => target).length,
    })),
    diagnoses,
    by_target_left_off: 0,
    by_client_left_off: 0,
    by_isp_left_off: 0,
    diagnoses_left_off: 0,
  };
}

export function all(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}

// The contract's answers about the made-up network.

import type {
  Compare,
  DeadLetters,
  Diagnosis,
  Different,
  HurtGroup,
  MatrixAnswer,
  Measurements,
  Overview,
  Pipeline,
  Run,
  Runs,
  Scores,
  Series,
  Timeline,
  Uncounted,
} from '../../src/api/types.ts';
import { incidentsOfOverview } from './incidents.ts';
import { MINUTE_MS, sinceOf, type Network } from './network.ts';

const CODES: Record<string, string> = {
  healthy: 'h',
  'dns-bound': 'd',
  'handshake-bound': 'c',
  'server-bound': 's',
  'throughput-bound': 't',
  'error-bound': 'e',
};

function atOf(to: number): number {
  return Math.floor((Math.min(to, Date.now()) - 1) / MINUTE_MS) * MINUTE_MS;
}

const NO_LABELS = { client_labels: {}, target_labels: {} };

function current(network: Network, at: number): Diagnosis[] {
  return network.clients.flatMap((client, row) =>
    network.targets.flatMap((target, column): Diagnosis[] => {
      const { label, severity, evidence, start } = network.window(row, column, at);
      if (!label || !severity || !evidence) return [];
      const since = sinceOf(start);
      return [
        { ...client, ...NO_LABELS, target, window_start_ts: start, label, severity, since, evidence, is_final: false },
      ];
    }),
  );
}

export function overview(network: Network, to: number): Overview {
  const at = atOf(to);
  const all = current(network, at);
  const [rows, columns] = [network.clients.length, network.targets.length];
  const groups = <K>(key: (diagnosis: Diagnosis) => K) => {
    const map = new Map<K, Diagnosis[]>();
    for (const diagnosis of all) map.set(key(diagnosis), [...(map.get(key(diagnosis)) ?? []), diagnosis]);
    return [...map].map(([name, of]) => ({ name, of }));
  };
  const group = (of: Diagnosis[], pairs: number): HurtGroup => ({
    label: of[0]?.label ?? 'healthy',
    severity: of[0]?.severity ?? 'minor',
    since: of[0]?.since ?? null,
    degraded_pairs: of.length,
    pairs,
  });
  const names = (of: Diagnosis[], name: (diagnosis: Diagnosis) => string) => [...new Set(of.map(name))];
  const byTarget = groups(({ target }) => target);
  const byClient = groups(({ client_id }) => client_id);
  return {
    ...incidentsOfOverview(network, to),
    at,
    window_ms: MINUTE_MS,
    demo: false,
    certificates: [9, -1].map((days, index) => ({
      target: network.targets[index] ?? '',
      client_id: network.clients[0]?.client_id ?? '',
      issuer: 'CN=An authority, O=Example',
      expires_at: Date.now() + days * 86_400_000 + 3_600_000,
      seen_at: Date.now(),
    })),
    certificates_left_off: 0,
    pairs: {
      total: rows * columns,
      healthy: rows * columns - all.length,
      degraded: all.length,
      unknown: 0,
      unmeasured: 0,
    },
    targets: { total: columns, degraded: byTarget.length },
    clients: { total: rows, degraded: byClient.length },
    freshness: { newest_row_as_of: Date.now() - 400, newest_row_updated_at: Date.now() - 300 },
    events: { read: 210_345, accepted: 210_301, duplicate: 20, late: 21, invalid: 3 },
    by_target: byTarget.map(({ name, of }) => ({
      target: name,
      ...group(of, rows),
      clients: names(of, ({ client_id }) => client_id).slice(0, 5),
      client_count: of.length,
      isps: names(of, ({ isp }) => isp ?? ''),
      isp_count: names(of, ({ isp }) => isp ?? '').length,
      all_isps: true,
    })),
    by_client: byClient.map(({ name, of }) => ({
      client_id: name,
      isp: of[0]?.isp ?? null,
      network_type: of[0]?.network_type ?? null,
      ...group(of, columns),
      targets: names(of, ({ target }) => target).slice(0, 5),
      target_count: of.length,
    })),
    by_isp: groups(({ isp }) => isp).map(({ name, of }) => ({
      isp: name,
      ...group(of, (rows / 4) * columns),
      clients: names(of, ({ client_id }) => client_id).slice(0, 5),
      client_count: names(of, ({ client_id }) => client_id).length,
      targets: names(of, ({ target }) => target).slice(0, 5),
      target_count: names(of, ({ target }) => target).length,
    })),
    by_target_left_off: 0,
    by_client_left_off: 0,
    by_isp_left_off: 0,
    label_dimensions: [],
    label_dimensions_left_off: 0,
    by_label: [],
    by_label_left_off: 0,
    diagnoses: all.slice(0, 500),
    diagnoses_left_off: Math.max(0, all.length - 500),
  };
}

export function uncounted(): Uncounted {
  const last = { at: Date.now() - 90_000, client_id: 'demo-07', target: 'https://api.example.com/' };
  return {
    items: [
      { left_out: 'late', reason: 'late', count: 12, last: { ...last, message: 'measured 12 min before it came' } },
      {
        left_out: 'refused',
        reason: 'invalid_timestamp',
        count: 3,
        last: { ...last, client_id: '<b>evil</b>\u202e', target: null, message: 'ts_ms must be Unix milliseconds' },
      },
    ],
    counted_since: Date.now() - 40 * MINUTE_MS,
    counts_refused: true,
    counts_all_partitions: true,
  };
}

export function timeline(network: Network, from: number, to: number): Timeline {
  const start: number[] = [];
  const found: Map<string, number>[] = [];
  for (let at = Math.ceil(from / MINUTE_MS) * MINUTE_MS; at < Math.min(to, Date.now()); at += MINUTE_MS) {
    const counts = new Map<string, number>();
    network.targets.forEach((_, target) => {
      const label = network.fault(target, at / MINUTE_MS);
      if (label) counts.set(label, network.clients.length);
    });
    if (counts.size === 0) continue;
    start.push(at);
    found.push(counts);
  }
  const labels = new Set(found.flatMap((counts) => [...counts.keys()]));
  return {
    window_ms: MINUTE_MS,
    point_ms: MINUTE_MS,
    start,
    degraded: Object.fromEntries([...labels].map((label) => [label, found.map((counts) => counts.get(label) ?? 0)])),
    pairs: found.map((counts) => [...counts.values()].reduce((sum, one) => sum + one, 0)),
  };
}

export function matrix(network: Network, to: number): MatrixAnswer {
  const at = atOf(to);
  const cells = network.clients.map((_, row) => network.targets.map((_, column) => network.window(row, column, at)));
  return {
    at,
    clients: network.clients.map((client) => ({ ...client, labels: {} })),
    target_labels: network.targets.map(() => ({})),
    targets: network.targets,
    labels: cells.map((row) => row.map(({ label }) => (label ? (CODES[label] ?? '?') : '?')).join('')),
    severities: cells.map((row) =>
      row.map(({ severity }) => (severity ? ['minor', 'major', 'critical'].indexOf(severity) + 1 : 0)).join(''),
    ),
    clients_left_off: 0,
    targets_left_off: 0,
  };
}

export function series(network: Network, client_id: string, target: string, from: number, to: number): Series {
  const row = network.clients.findIndex((client) => client.client_id === client_id);
  const column = network.targets.indexOf(target);
  const known = row >= 0 && column >= 0;
  const start: number[] = [];
  const first = Math.max(from, to - 400 * MINUTE_MS);
  for (let at = first; known && at < Math.min(to, Date.now()); at += MINUTE_MS) {
    if (Math.floor(at / MINUTE_MS) % 47 !== 0) start.push(at);
  }
  const windows = start.map((at) => network.window(row, column, at));
  const usual = start.map((at) => network.usualOf(row, column, at));
  const metrics = ['dns', 'tcp', 'tls', 'ttfb', 'throughput'] as const;
  const stages = ['dns', 'handshake', 'ttfb', 'total', 'throughput'] as const;
  const columnOf = <K extends string, V>(keys: readonly K[], value: (key: K) => V) =>
    Object.fromEntries(keys.map((key) => [key, value(key)])) as Record<K, V>;
  return {
    window_ms: MINUTE_MS,
    point_ms: MINUTE_MS,
    latency: 'maximum',
    throughput: 'minimum',
    start,
    windows: start.map(() => 1),
    count_total: windows.map(({ total }) => total),
    count_error: windows.map(({ errors }) => errors),
    errors: columnOf(['dns', 'tcp', 'tls', 'http', 'throughput'], (key) =>
      windows.map(({ errors }) => (key === 'tls' ? errors : 0)),
    ),
    p50: columnOf(metrics, (key) => windows.map(({ p50 }) => p50[key])),
    p95: columnOf(metrics, (key) => windows.map(({ p95 }) => p95[key])),
    usual: columnOf(stages, (key) => ({
      usual: usual.map((of) => of[key]),
      low: usual.map((of) => of[key] * 0.96),
      high: usual.map((of) => of[key] * 1.09),
    })),
    labels: windows.map(({ label }) => label),
    severities: windows.map(({ severity }) => severity),
    is_final: start.map((at) => at < Date.now() - 3 * MINUTE_MS),
    corrected_at: start.map(() => null),
    diagnoses: windows
      .flatMap(({ start, label, severity, evidence }) =>
        label && severity && evidence
          ? [
              {
                client_id,
                target,
                window_start_ts: start,
                label,
                severity,
                evidence,
                is_final: true,
                ...written(start),
              },
            ]
          : [],
      )
      .reverse(),
  };
}

/** When a row of a window was written. */
function written(start: number) {
  return { as_of: start + 3 * MINUTE_MS, updated_at: start + 3 * MINUTE_MS };
}

export function runs(network: Network, client_id: string, target: string, from: number, to: number): Runs {
  const items: Run[] = [];
  for (const { window_start_ts, label, severity } of series(network, client_id, target, from, to).diagnoses) {
    const since = sinceOf(window_start_ts);
    const last = items.at(-1);
    if (last?.since === since) {
      last.windows += 1;
      continue;
    }
    const until = window_start_ts + MINUTE_MS;
    const ongoing = until > Math.min(to, Date.now()) - 2 * MINUTE_MS;
    items.push({ client_id, target, label, severity, since, until: ongoing ? null : until, ongoing, windows: 1 });
  }
  return { items, has_more: false };
}

export function compare(
  network: Network,
  one: { client: string | null; target: string | null },
  from: number,
  to: number,
): Compare {
  const point_ms = Math.max(MINUTE_MS, Math.ceil((to - from) / 60 / MINUTE_MS) * MINUTE_MS);
  const start: number[] = [];
  for (let at = Math.ceil(from / point_ms) * point_ms; at < Math.min(to, Date.now()); at += point_ms) start.push(at);
  const pairs = network.clients.flatMap((client, row) =>
    network.targets.flatMap((target, column) => {
      if (one.client !== null ? client.client_id !== one.client : target !== one.target) return [];
      const windows = start.map((at) => network.window(row, column, at));
      const degraded = windows.map(({ severity }) => (severity ? 1 : 0));
      const last = windows.at(-1);
      const ttfb = windows.map(({ p95 }) => p95.ttfb);
      return [
        {
          ...client,
          ...NO_LABELS,
          target,
          windows: windows.length,
          degraded_windows: degraded.reduce<number>((sum, one) => sum + one, 0),
          count_total: 5 * windows.length,
          count_error: windows.reduce((sum, { errors }) => sum + errors, 0),
          ttfb_p95_max: Math.max(...ttfb),
          total_p95_max: Math.max(...windows.map(({ p95 }) => p95.dns + p95.tcp + p95.tls + p95.ttfb)),
          throughput_p50_min: Math.min(...windows.map(({ p50 }) => p50.throughput)),
          label: last?.label ?? null,
          severity: last?.severity ?? null,
          since: last?.severity ? sinceOf(last.start) : null,
          values: ttfb,
          degraded,
        },
      ];
    }),
  );
  const answered = start.map(() => pairs.length);
  const phase = 'ttfb' as const;
  return {
    point_ms,
    phase,
    start,
    answered,
    pairs: pairs.sort((a, b) => b.degraded_windows - a.degraded_windows),
    pairs_left_off: 0,
  };
}

export function different(network: Network): Different {
  const values = network.targets.slice(0, 6).map((value, index) => ({
    value,
    inside_windows: 60,
    inside_matching: index === 2 ? 57 : 0,
    outside_windows: 1_000,
    outside_matching: 30 * index,
    inside_share: index === 2 ? 0.95 : 0,
    outside_share: 0.03 * index,
    difference: index === 2 ? 0.89 : -0.03 * index,
  }));
  const isps = ['Northline', 'Fjordnet', 'Cablecore', null].map((value, index) => ({
    value,
    inside_windows: 90,
    inside_matching: 14 + index,
    outside_windows: 1_500,
    outside_matching: 100,
    inside_share: (14 + index) / 90,
    outside_share: 100 / 1_500,
    difference: (14 + index) / 90 - 100 / 1_500,
  }));
  return {
    matches: 'degraded',
    inside: { windows: 360, matching: 57 },
    outside: { windows: 6_000, matching: 450 },
    label_dimensions_left_off: 0,
    dimensions: [
      { dimension: 'target', values: values.sort((a, b) => Math.abs(b.difference) - Math.abs(a.difference)) },
      { dimension: 'isp', values: isps },
    ],
  };
}

export function score(network: Network, from: number, to: number): Scores {
  const pairs = network.clients.length * network.targets.length;
  const names = { client_id: null, target: null, isp: null, value: null };
  const item = { ...names, score: 96.4, pairs, measurements: 36_000, failed: 400 };
  const outcome = { score: 79.4, latency: 98.2, loss: 79.4 };
  const items = [{ ...item, outcome, available: 0.992, unavailable: 0.003, unmeasured: 0.005 }];
  const outcome_terms = {
    perfect_p50_ms: 150,
    unusable_p50_ms: 400,
    perfect_p95_ms: 300,
    unusable_p95_ms: 800,
    perfect_loss: 0.001,
    unusable_loss: 0.05,
  };
  return { by: 'fleet', from, to, satisfied_ms: 500, outcome_terms, items, items_left_off: 0 };
}

export function pipeline(): Pipeline {
  return {
    version: '0.1.0',
    uptime_s: 4_321,
    process: 0,
    processes: 1,
    log: { kind: 'sqlite', healthy: true, message: null },
    store: { kind: 'sqlite', healthy: true, message: null },
    pipeline: { kind: 'dataflow', healthy: true, message: null },
    events: { read: 210_345, accepted: 210_301, duplicate: 20, late: 21, invalid: 3 },
    events_per_s: 9.7,
    rows_per_s: 8.2,
    processing_delay: { p50_ms: 4.2, p95_ms: 9.8, p99_ms: 31 },
    open_windows: 360,
    tracked_pairs: 120,
    refused_pair_events: 0,
    forgotten_pairs: 3,
    lag_records: 2,
    oldest_waiting_ms: 40,
    partitions: Array.from({ length: 16 }, (_, partition) => ({
      partition,
      worker: partition % 2,
      processed: 13_000 + partition * 7,
      resume_from: 12_400 + partition * 7,
      log_time: Date.now() - 300,
      waiting_records: partition === 3 ? 2 : 0,
    })),
    dead_letters: 2,
    live_readers: 1,
  };
}

export function deadLetters(): DeadLetters {
  const letter = (id: string, reason: string, original: string) => {
    return { id, partition: 3, log_time: Date.now() - 60_000, reason, original, bytes: original.length, is_cut: false };
  };
  return {
    items: [
      letter('3-1200-0', 'not JSON: expected value at line 1 column 1', 'hello <img src=x onerror=alert(1)>'),
      letter('3-1207-4', 'ts_ms must be a positive integer', '{"event_id":"e-1","client_id":"\u202Eevil","ts_ms":-4}'),
    ],
    next_cursor: null,
    may_replay: true,
    how_to_replay: 'netqoe dead-letters replay ID',
  };
}

/** One each 10 s, of which every fourth was refused. */
export function measurements(client_id: string, target: string, from: number, to: number): Measurements {
  const times = Array.from({ length: Math.floor((to - from) / 10_000) }, (_, index) => to - 10_000 * (index + 1));
  const items = times.map((ts_ms, index) => {
    const failed = index % 4 === 3;
    const error_message = 'no connection to 192.0.2.1:443: Connection refused (os error 111)';
    const measured = { dns_ms: 12, tcp_ms: 20, tls_ms: 35, ttfb_ms: 90 };
    const seen = { total_ms: 170, body_ms: 8, protocol: 'HTTP/2', status: 200, peer: '192.0.2.1', port: 443 };
    const event = {
      event_id: `${ts_ms}`,
      client_id,
      target,
      ts_ms,
      timing_measurements: failed ? { dns_ms: 12 } : measured,
      error_stage: failed ? 'tcp' : null,
      evidence: failed ? { error_message, total_ms: 14 } : seen,
    };
    const window_start_ts = Math.floor(ts_ms / MINUTE_MS) * MINUTE_MS;
    const failure = failed ? 'connection refused' : null;
    return { event, log_time: ts_ms + 500, window_start_ts, outcome: 'accepted' as const, failure };
  });
  const count_error = items.filter(({ failure }) => failure !== null).length;
  return {
    items,
    next_cursor: null,
    is_whole: true,
    count_total: items.length,
    count_error,
    failures: count_error > 0 ? [{ stage: 'tcp', reason: 'connection refused', count: count_error }] : [],
    failed_because: count_error > 0 ? `${count_error} × connection refused` : null,
    kept_since: null,
  };
}

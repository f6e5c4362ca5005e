// The answers of the query API, as docs and /api/v1/openapi.json state them. Times are Unix milliseconds.

export type Label = 'healthy' | 'dns-bound' | 'handshake-bound' | 'server-bound' | 'throughput-bound' | 'error-bound';
export type Severity = 'minor' | 'major' | 'critical';
export type Metric = 'dns' | 'tcp' | 'tls' | 'ttfb' | 'throughput';
export type Stage = 'dns' | 'handshake' | 'ttfb' | 'total' | 'throughput';
export type Dimension = 'client_id' | 'target' | 'isp' | 'network_type' | 'site';

/** Figures that a row of an older netqoe does not have are null. */
export interface Evidence {
  stage: string;
  unit: 'ms' | 'Mbit/s' | 'share';
  observed: number;
  usual: number | null;
  usual_low: number | null;
  usual_high: number | null;
  /** Where the rules measure by σ. */
  sigmas: number | null;
  share_of_total: number | null;
  samples: number | null;
  /** How many of the samples failed, or at least how many were slow. */
  bad_samples: number | null;
  windows: number | null;
  since: number | null;
}

export interface Since {
  since: number | null;
}

export interface Network {
  isp: string | null;
  network_type: string | null;
}

export interface Diagnosis extends Since, Network {
  client_id: string;
  target: string;
  window_start_ts: number;
  label: Label;
  severity: Severity;
  evidence: Evidence;
  is_final: boolean;
}

/** A stretch of windows of one pair with the same label. */
export interface Run {
  client_id: string;
  target: string;
  label: Label;
  /** The gravest of its windows'. */
  severity: Severity;
  since: number;
  /** End of its last window; null where it goes on. */
  until: number | null;
  ongoing: boolean;
  windows: number;
}

export interface Runs {
  items: Run[];
  has_more: boolean;
}

export interface HurtGroup extends Since {
  label: Label;
  severity: Severity;
  degraded_pairs: number;
  pairs: number;
}

export interface HurtTarget extends HurtGroup {
  target: string;
  clients: string[];
  client_count: number;
  isps: string[];
  isp_count: number;
  all_isps: boolean;
}

export interface HurtClient extends HurtGroup, Network {
  client_id: string;
  targets: string[];
  target_count: number;
}

export interface HurtIsp extends HurtGroup {
  isp: string | null;
  clients: string[];
  client_count: number;
  targets: string[];
  target_count: number;
}

export interface Events {
  read: number;
  accepted: number;
  duplicate: number;
  late: number;
  invalid: number;
}

export interface Overview {
  at: number | null;
  window_ms: number;
  pairs: { total: number; healthy: number; degraded: number; unknown: number };
  targets: { total: number; degraded: number };
  clients: { total: number; degraded: number };
  freshness: { newest_row_as_of: number | null; newest_row_updated_at: number | null };
  events: Events;
  by_target: HurtTarget[];
  by_client: HurtClient[];
  by_isp: HurtIsp[];
  diagnoses: Diagnosis[];
  diagnoses_left_off: number;
}

export interface Timeline {
  window_ms: number;
  point_ms: number;
  /** Points with a degraded window; at all others nothing was degraded. */
  start: number[];
  /** The most pairs that were degraded in one of the point's windows. */
  degraded: Partial<Record<Label, number[]>>;
  pairs: number[];
}

export interface MatrixAnswer {
  at: number | null;
  clients: ({ client_id: string } & Network)[];
  targets: string[];
  /** A string a client, a character a target. */
  labels: string[];
  severities: string[];
  clients_left_off?: number;
  targets_left_off?: number;
}

export type Values = (number | null)[];

/** What is usual, and the range around it; null where too little is known. */
export interface UsualColumns {
  usual: Values;
  low: Values;
  high: Values;
}

export interface Series {
  window_ms: number;
  point_ms: number;
  start: number[];
  windows: number[];
  count_total: number[];
  count_error: number[];
  errors: Record<'dns' | 'tcp' | 'tls' | 'http' | 'throughput', number[]>;
  p50: Record<Metric, Values>;
  p95: Record<Metric, Values>;
  usual: Record<Stage, UsualColumns>;
  labels: (Label | null)[];
  severities: (Severity | null)[];
  is_final: boolean[];
  diagnoses: Omit<Diagnosis, 'since' | 'isp' | 'network_type'>[];
}

export interface ComparedPair extends Since, Network {
  client_id: string;
  target: string;
  windows: number;
  degraded_windows: number;
  count_total: number;
  count_error: number;
  ttfb_p95_max: number | null;
  total_p95_max: number | null;
  throughput_p50_min: number | null;
  label: Label | null;
  severity: Severity | null;
  ttfb_p95: Values;
  degraded: number[];
}

export interface Compare {
  point_ms: number;
  start: number[];
  pairs: ComparedPair[];
  pairs_left_off?: number;
}

export interface Share {
  windows: number;
  matching: number;
}

export interface DimensionValue {
  value: string | null;
  inside_windows: number;
  inside_matching: number;
  outside_windows: number;
  outside_matching: number;
  inside_share: number | null;
  outside_share: number | null;
  difference: number;
}

export interface Different {
  matches: string;
  inside: Share;
  outside: Share;
  dimensions: { dimension: Dimension; values: DimensionValue[] }[];
}

export interface State {
  healthy: boolean;
  message: string | null;
}

export interface PartitionState {
  partition: number;
  worker: number | null;
  processed: number | null;
  resume_from: number | null;
  log_time: number | null;
  waiting_records: number | null;
}

export interface Pipeline {
  version: string;
  uptime_s: number;
  log: State & { kind: string };
  store: State & { kind: string };
  pipeline: State;
  events: Events;
  events_per_s: number | null;
  rows_per_s: number | null;
  processing_delay: { p50_ms: number; p95_ms: number; p99_ms: number } | null;
  open_windows: number | null;
  tracked_pairs: number | null;
  refused_pair_events: number | null;
  forgotten_pairs: number | null;
  lag_records: number | null;
  oldest_waiting_ms: number | null;
  partitions: PartitionState[];
  dead_letters: number | null;
  live_readers: number | null;
  process?: number | null;
  processes?: number | null;
}

export interface DeadLetter {
  id: string;
  partition: number | null;
  log_time: number | null;
  reason: string;
  original: string;
  bytes: number;
  is_cut: boolean;
}

export interface DeadLetters {
  items: DeadLetter[];
  next_cursor: string | null;
  may_replay: boolean;
  how_to_replay?: string | null;
}

export interface Session {
  token_needed: boolean;
  signed_in: boolean;
  version: string;
}

export interface ClientItem extends Network {
  client_id: string;
}

export interface TargetItem {
  target: string;
  client_count: number;
}

export interface Items<T> {
  items: T[];
  next_cursor: string | null;
}

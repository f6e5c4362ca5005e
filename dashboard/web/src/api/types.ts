// Short names for the answers of the query API, whose types `npm run types` makes from query/openapi.json.

import type { components } from './openapi.ts';

type Schemas = components['schemas'];

export type Label = Schemas['Label'];
export type Severity = Schemas['Severity'];
export type Metric = keyof Schemas['ByMetric'];
export type Stage = keyof Schemas['UsualBand'];
export type Dimension = Schemas['DimensionName'];

export type Evidence = Schemas['Evidence'];
export type Diagnosis = Schemas['CurrentDiagnosis'];
export type Since = Pick<Diagnosis, 'since'>;
export type Network = Pick<Diagnosis, 'isp' | 'network_type'>;

export type Run = Schemas['RunItem'];
export type Runs = Schemas['Runs'];

export type HurtGroup = Schemas['Hurt'];
export type HurtTarget = Schemas['TargetGroup'];
export type HurtClient = Schemas['ClientGroup'];
export type HurtIsp = Schemas['IspGroup'];
export type Events = Schemas['Events'];
export type PairCounts = Schemas['PairCounts'] & { unmeasured: number };
export interface Overview extends Omit<Schemas['Overview'], 'pairs'> {
  pairs: PairCounts;
  sentence: { text: string; severity: Severity | null; incident: string | null; since: number | null };
  incidents: Incident[];
  incidents_left_off: number;
  last_incident_closed: number | null;
  unmeasured: { pairs: number; clients: SilentClient[]; clients_left_off: number };
}

export interface SilentClient {
  client_id: string;
  pairs: number;
  last: number;
}

export interface UnmeasuredPair {
  client_id: string;
  target: string;
  last: number;
  rhythm_ms: number;
  isp: string | null;
  site: string | null;
}

export type CauseDimension =
  | 'client'
  | 'target'
  | 'host'
  | 'isp×target'
  | 'site×network_type'
  | 'site'
  | 'hosting'
  | 'isp'
  | 'network_type'
  | 'everything';

export interface Cause {
  dimension: CauseDimension;
  value: string[];
}

export interface Weight {
  degraded: number;
  healthy: number;
}

export interface Incident {
  id: string;
  label: Label;
  cause: Cause;
  state: 'open' | 'closed' | 'withdrawn';
  withdrawn_because: string | null;
  opened: number;
  detected: number;
  named: number;
  last: number;
  closed: number | null;
  severity: Severity;
  peak_severity: Severity;
  evidence: { at_first: Weight; now: Weight };
  pairs: number;
  clients: number;
  targets: number;
  revision: number;
  as_of: number;
  sentence: string;
  acknowledged: { at: number; by: string } | null;
  planned: boolean;
}

export interface IncidentRevision {
  revision: number;
  at: number;
  change: 'opened' | 'cause' | 'severity' | 'absorbed' | 'closed' | 'withdrawn';
  cause: Cause;
  severity: Severity;
  degraded: number;
}

export interface IncidentNote {
  id: number;
  at: number;
  by: string;
  text: string;
  acknowledges: boolean;
}

export interface IncidentDetail extends Incident {
  revisions: IncidentRevision[];
  notes: IncidentNote[];
}

export interface IncidentPair {
  client_id: string;
  target: string;
  since: number;
  until: number;
  severity: Severity;
}

export interface MaintenanceWindow {
  id: number;
  from: number;
  to: number;
  cause: Cause;
  text: string;
  by: string;
}

export type Timeline = Schemas['Timeline'];
export type MatrixAnswer = Schemas['Matrix'];

export type UsualColumns = Schemas['UsualColumns'];
export type Values = UsualColumns['usual'];
export type Series = Schemas['Series'];

export type ComparedPair = Schemas['ComparedPair'];
export type Compare = Schemas['Comparison'];

export type Share = Schemas['Share'];
export type DimensionValue = Schemas['DimensionValue'];
export type Different = Schemas['Difference'];

export type State = Pick<Schemas['Part'], 'healthy' | 'message'>;
export type PartitionState = Schemas['PartitionProgress'];
export type Pipeline = Schemas['PipelineAnswer'];

export type DeadLetter = Schemas['LetterItem'];
export type DeadLetters = Schemas['LettersAnswer'];

export type ClientItem = Schemas['ClientItem'];
export type TargetItem = Schemas['TargetItem'];

/** Some items of a list, and where the next page begins. */
export interface Items<T> {
  items: T[];
  next_cursor: string | null;
}

/** Of the listener, whose routes are no part of the query API's document. */
export interface Session {
  token_needed: boolean;
  signed_in: boolean;
  version: string;
}

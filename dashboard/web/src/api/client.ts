// The one place that knows the server's URLs.

import { noteAnswer, serverNow } from '../state/clock.ts';
import { retryAfter } from '../state/retry.ts';
import type {
  ClientItem,
  Compare,
  Corrections,
  DeadLetters,
  Different,
  Incident,
  IncidentDetail,
  IncidentPair,
  Items,
  LabelMeanings,
  MaintenanceWindow,
  MatrixAnswer,
  MeasurementDifference,
  Measurements,
  NewMaintenance,
  NewNote,
  Overview,
  Pipeline,
  Runs,
  ScoredBy,
  Scores,
  Series,
  Session,
  TargetItem,
  Timeline,
  Uncounted,
} from './types.ts';

const ROOT = '/api/v1';

/** Why there is no answer, in the server's words where it gave some. */
export class AskError extends Error {
  /**
   * `status` is the HTTP status; 0 where no server answered. `code` is the server's own word, where it gave one.
   * `retry_after_ms`: when the server wants to be asked again.
   */
  constructor(
    readonly status: number,
    message: string,
    readonly code: string | null = null,
    readonly retry_after_ms: number | null = null,
  ) {
    super(message);
  }
}

export interface Bounds {
  from: number;
  to: number;
}

/** What a score is of. */
export interface Scored {
  by: ScoredBy;
  client_id?: string;
  target?: string;
  labelled?: string[];
}

export interface Marked {
  inside: Bounds;
  /** A column and the values that match; where absent, degraded windows match. */
  measure: { column: string; min: number | null; max: number | null } | null;
  client: string | null;
  target: string | null;
}

/** Of the fleet: when, and which labels pairs have. */
export interface Asked extends Bounds {
  labelled: string[];
}

type Query = Record<string, string | number | string[] | null | undefined>;

export const ask = {
  session: (signal?: AbortSignal) => get<Session>('/session', {}, signal),
  /** Grouped by a label, too, where one is named. */
  overview: (asked: Asked, by: string | null, signal?: AbortSignal) =>
    get<Overview>('/overview', by === null ? { ...asked } : { ...asked, by }, signal),
  /** Of one client, one target or both. */
  overviewOf: (names: { client: string | null; target: string | null }, signal?: AbortSignal) =>
    get<Overview>('/overview', { client_id: names.client, target: names.target }, signal),
  matrix: (asked: Asked, signal?: AbortSignal) => get<MatrixAnswer>('/matrix', { ...asked }, signal),
  timeline: (asked: Asked, max_points: number, signal?: AbortSignal) =>
    get<Timeline>('/timeline', { ...asked, max_points }, signal),
  /** The newest incidents of a range. */
  incidents: (asked: Asked, limit: number, signal?: AbortSignal) =>
    get<Items<Incident>>('/incidents', { ...asked, limit }, signal),
  incident: (id: string, signal?: AbortSignal) => get<IncidentDetail>(`/incidents/${id}`, {}, signal),
  incidentPairs: (id: string, limit: number, signal?: AbortSignal) =>
    get<Items<IncidentPair>>(`/incidents/${id}/pairs`, { limit }, signal),
  score: (of: Scored, range: Bounds, signal?: AbortSignal) => get<Scores>('/score', { ...of, ...range }, signal),
  maintenance: (signal?: AbortSignal) => get<Items<MaintenanceWindow>>('/maintenance', {}, signal),
  series: (client_id: string, target: string, range: Bounds, max_points: number, signal?: AbortSignal) =>
    get<Series>('/series', { client_id, target, ...range, max_points }, signal),
  /** The newest runs of a pair. */
  runs: (client_id: string, target: string, range: Bounds, limit: number, signal?: AbortSignal) =>
    get<Runs>('/runs', { client_id, target, ...range, limit }, signal),
  /** Single measurements of a pair, newest first, from a place on. */
  measurements: (
    client_id: string,
    target: string,
    range: Bounds,
    limit: number,
    cursor: string | null,
    signal?: AbortSignal,
  ) => get<Measurements>('/events', { client_id, target, ...range, limit, cursor }, signal),
  compare: (one: { client_id: string } | { target: string }, range: Bounds, signal?: AbortSignal) =>
    get<Compare>('/compare', { ...one, ...range }, signal),
  different: (range: Bounds, marked: Marked, signal?: AbortSignal) =>
    get<Different>(
      '/different',
      {
        ...range,
        inside_from: marked.inside.from,
        inside_to: marked.inside.to,
        metric: marked.measure?.column,
        min: marked.measure?.min,
        max: marked.measure?.max,
        client_id: marked.client,
        target: marked.target,
      },
      signal,
    ),
  /** By what single measurements differ, as the log has them. */
  differentMeasurements: (range: Bounds, { inside, client, target }: Omit<Marked, 'measure'>, signal?: AbortSignal) =>
    get<MeasurementDifference>(
      '/different/measurements',
      { ...range, inside_from: inside.from, inside_to: inside.to, client_id: client, target },
      signal,
    ),
  labels: (signal?: AbortSignal) => get<LabelMeanings>('/labels', {}, signal),
  pipeline: (signal?: AbortSignal) => get<Pipeline>('/pipeline', {}, signal),
  uncounted: (range: Bounds, signal?: AbortSignal) => get<Uncounted>('/uncounted', { ...range }, signal),
  corrections: (range: Bounds, signal?: AbortSignal) => get<Corrections>('/corrections', { ...range }, signal),
  deadLetters: (cursor: string | null, signal?: AbortSignal) =>
    get<DeadLetters>('/dead-letters', { limit: 50, cursor }, signal),
  clients: (cursor: string | null, signal?: AbortSignal) =>
    get<Items<ClientItem>>('/clients', { limit: 1000, cursor }, signal),
  targets: (cursor: string | null, signal?: AbortSignal) =>
    get<Items<TargetItem>>('/targets', { limit: 1000, cursor }, signal),
};

export const tell = {
  signIn: (token: string) => send('POST', '/session', { token }),
  signOut: () => send('DELETE', '/session'),
  replay: (id: string) => send('POST', `/dead-letters/${encodeURIComponent(id)}/replay`, {}),
  note: (incident: string, note: NewNote) => send('POST', `/incidents/${incident}/notes`, note),
  plan: (maintenance: NewMaintenance) => send('POST', '/maintenance', maintenance),
  cancel: (id: number) => send('DELETE', `/maintenance/${id}`),
};

/** Where commits are announced, from the one after `lastEventId` on. */
export function liveUrl(lastEventId: string): string {
  return url('/live', { detail: 'commits', last_event_id: lastEventId || null });
}

function url(path: string, query: Query): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (Array.isArray(value)) value.forEach((one) => parameters.append(name, one));
    else if (value !== null && value !== undefined) parameters.set(name, String(value));
  }
  const text = parameters.toString();
  return ROOT + path + (text ? `?${text}` : '');
}

async function get<T>(path: string, query: Query, signal?: AbortSignal): Promise<T> {
  const response = await request(url(path, query), { headers: { accept: 'application/json' }, signal: signal ?? null });
  return (await response.json()) as T;
}

async function send(method: 'POST' | 'DELETE', path: string, body?: unknown): Promise<void> {
  const content = body === undefined ? {} : { headers: { 'content-type': 'application/json' } };
  await request(url(path, {}), { method, ...content, body: body === undefined ? null : JSON.stringify(body) });
}

async function request(address: string, init: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(address, { credentials: 'same-origin', cache: 'no-store', ...init });
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw new AskError(0, 'netqoe does not answer. Is it running, and can this machine reach it?');
  }
  noteAnswer(response.headers.get('date'));
  if (!response.ok) throw await refusal(response);
  return response;
}

async function refusal(response: Response): Promise<AskError> {
  const { status, statusText } = response;
  const retry_after_ms = retryAfter(response.headers.get('retry-after'), serverNow());
  try {
    const { message, error } = (await response.json()) as { message?: unknown; error?: unknown };
    if (typeof message === 'string' && message) {
      return new AskError(status, message, typeof error === 'string' ? error : null, retry_after_ms);
    }
  } catch {
    // Not JSON: a proxy's page, say. Its status is what there is to tell.
  }
  return new AskError(status, `The server answered ${status} ${statusText}`.trim(), null, retry_after_ms);
}

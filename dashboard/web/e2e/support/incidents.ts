// Answers about incidents that a test makes up, in the place of the server's: what the page does with them is to be seen, not how they are found.

import type { Page, Route } from '@playwright/test';

import type {
  Incident,
  IncidentDetail,
  IncidentPair,
  MaintenanceWindow,
  MatrixAnswer,
  Overview,
} from '../../src/api/types.ts';
import { incidentOf, MINUTE } from '../../test/incident.ts';

/** What was sent to the server, in order. */
export interface Sent {
  method: string;
  path: string;
  body: unknown;
}

/** A pair that is measured no more, and the newest window that it was measured in. */
export interface SilentPair {
  client_id: string;
  target: string;
  last: number;
}

export interface MadeUp {
  incidents: Incident[];
  silent: SilentPair[];
  /** Of the one incident that is looked at. */
  detail?: Pick<IncidentDetail, 'revisions' | 'notes'>;
  pairs?: IncidentPair[];
}

/** The start of the present minute. */
export function thisMinute(): number {
  return Math.floor(Date.now() / MINUTE) * MINUTE;
}

/** The number of an incident is its id. */
export function idOf(number: number): string {
  return number.toString(16).padStart(16, '0');
}

/** One that goes on, and began so many minutes ago. */
export function openSince(minutes: number, change: Partial<Incident> = {}): Incident {
  const opened = thisMinute() - minutes * MINUTE;
  const times = { opened, detected: opened + MINUTE, named: opened + MINUTE, last: thisMinute() - MINUTE };
  return incidentOf({ ...times, as_of: thisMinute(), ...change });
}

/** Answers in the server's place, and notes what it is sent. Notes and maintenance windows are kept, as the server does. */
export async function makeUp(page: Page, madeUp: MadeUp): Promise<Sent[]> {
  const sent: Sent[] = [];
  const { incidents, silent, pairs = [], detail = { revisions: [], notes: [] } } = madeUp;
  const notes = [...detail.notes];
  let maintenance: MaintenanceWindow[] = [];
  const changed = (path: string, body: Record<string, unknown>) => {
    const id = maintenance.length + notes.length + 1;
    if (path.endsWith('/notes')) notes.push({ id, at: Date.now(), by: '', ...body } as (typeof notes)[number]);
    else maintenance = [...maintenance, { id, ...body, by: body['by'] ?? 'unknown' } as MaintenanceWindow];
    return { id };
  };
  const answer = (path: string): unknown => {
    const [, list, id, what] = /\/api\/v1\/(\w+)(?:\/(\w+))?(?:\/(\w+))?/.exec(path) ?? [];
    const whole = (items: unknown[]) => ({ items, next_cursor: null });
    if (list === 'overview') return overviewOf(incidents, silent);
    if (list === 'matrix') return matrixOf(silent);
    if (list === 'maintenance') return whole(maintenance);
    if (what === 'pairs') return whole(pairs);
    if (id === undefined) return whole(incidents);
    const taken = notes.find(({ acknowledges }) => acknowledges);
    const acknowledged = taken ? { at: taken.at, by: taken.by } : null;
    return { ...incidents.find((one) => one.id === id), acknowledged, ...detail, notes };
  };
  await page.route(/\/api\/v1\/(overview|matrix|incidents|maintenance)\b/, async (route: Route) => {
    const request = route.request();
    const path = new URL(request.url()).pathname;
    if (request.method() === 'GET') return route.fulfill({ json: answer(path) });
    const body = request.postDataJSON() as Record<string, unknown> | null;
    sent.push({ method: request.method(), path, body });
    if (request.method() === 'POST') return route.fulfill({ status: 201, json: changed(path, body ?? {}) });
    maintenance = maintenance.filter(({ id }) => !path.endsWith(`/${id}`));
    return route.fulfill({ status: 204 });
  });
  return sent;
}

/** Of a client and a target that are well, and whoever is silent. */
function overviewOf(incidents: Incident[], silent: SilentPair[]): Overview {
  const at = thisMinute() - MINUTE;
  const [gravest] = incidents;
  const clients = [...new Set(silent.map(({ client_id }) => client_id))].map((client_id) => {
    const pairs = silent.filter((pair) => pair.client_id === client_id);
    return { client_id, pairs: pairs.length, last: pairs[0]?.last ?? 0 };
  });
  return {
    at,
    window_ms: MINUTE,
    certificates: [],
    certificates_left_off: 0,
    demo: false,
    pairs: { total: 1, healthy: 1, degraded: 0, unknown: 0, unmeasured: silent.length },
    targets: { total: 1, degraded: 0 },
    clients: { total: 1, degraded: 0 },
    freshness: { newest_row_as_of: Date.now(), newest_row_updated_at: Date.now() },
    events: { read: 1, accepted: 1, duplicate: 0, late: 0, invalid: 0 },
    by_target: [],
    by_client: [],
    by_isp: [],
    by_target_left_off: 0,
    by_client_left_off: 0,
    by_isp_left_off: 0,
    label_dimensions: [],
    label_dimensions_left_off: 0,
    by_label: [],
    by_label_left_off: 0,
    diagnoses: [],
    diagnoses_left_off: 0,
    sentence: {
      text: gravest?.sentence ?? 'The only pair is as usual',
      severity: gravest?.severity ?? null,
      incident: gravest?.id ?? null,
      since: gravest?.opened ?? null,
    },
    incidents,
    incidents_left_off: 0,
    last_incident_closed: thisMinute() - 40 * MINUTE,
    unmeasured: { pairs: silent.length, clients: clients.slice(0, 10), clients_left_off: 0 },
  };
}

function matrixOf(silent: SilentPair[]): MatrixAnswer {
  const clients = ['well', ...new Set(silent.map(({ client_id }) => client_id))];
  const targets = ['https://t-7/', ...new Set(silent.map(({ target }) => target))];
  const isSilent = (client: string, target: string) =>
    silent.some((pair) => pair.client_id === client && pair.target === target);
  const code = (client: string, target: string) =>
    isSilent(client, target) ? 'u' : client === 'well' && target === targets[0] ? 'h' : '.';
  const labels = clients.map((client) => targets.map((target) => code(client, target)).join(''));
  return {
    at: thisMinute() - MINUTE,
    clients: clients.map((client_id) => ({ client_id, isp: null, network_type: null, labels: {} })),
    targets,
    target_labels: targets.map(() => ({})),
    labels,
    severities: labels.map((codes) => codes.replaceAll('h', '0').replaceAll('u', '.')),
    clients_left_off: 0,
    targets_left_off: 0,
  };
}

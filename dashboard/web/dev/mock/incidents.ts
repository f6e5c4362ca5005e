// Incidents of the made-up network: each of its faults is one. Notes and maintenance windows are kept in memory.

import type {
  Incident,
  IncidentDetail,
  IncidentNote,
  IncidentPair,
  MaintenanceWindow,
  NewMaintenance,
  NewNote,
  Overview,
} from '../../src/api/types.ts';
import { FAULT_EVERY, FAULT_MINUTES, MINUTE_MS, type Network } from './network.ts';

const FAULT_MS = FAULT_EVERY * MINUTE_MS;
const SEVERITIES = ['minor', 'major', 'critical'] as const;

const notes = new Map<string, IncidentNote[]>();
const maintenance: MaintenanceWindow[] = [];

/** The id has the number of the fault in it. */
const idOf = (number: number) => number.toString(16).padStart(16, '0');

export function incidents(network: Network, from: number, to: number): Incident[] {
  const last = Math.floor(Math.min(to, Date.now()) / FAULT_MS);
  const numbers = Array.from(
    { length: Math.max(0, last - Math.floor(from / FAULT_MS) + 1) },
    (_, index) => last - index,
  );
  return numbers.flatMap((number) => incidentOf(network, number) ?? []);
}

function incidentOf(network: Network, number: number): Incident | null {
  const opened = number * FAULT_MS;
  const target = network.faulty(opened / MINUTE_MS);
  const label = target === null ? null : network.fault(target, opened / MINUTE_MS);
  const name = target === null ? undefined : network.targets[target];
  if (label === null || name === undefined) return null;
  const end = opened + FAULT_MINUTES * MINUTE_MS;
  const closed = end < Date.now() - MINUTE_MS ? end : null;
  const clients = network.clients.length;
  const severity = SEVERITIES[number % 3] ?? 'minor';
  const acknowledgement = notesOf(number).find(({ acknowledges }) => acknowledges);
  return {
    id: idOf(number),
    label,
    cause: { dimension: 'target', value: [name] },
    state: closed === null ? 'open' : 'closed',
    withdrawn_because: null,
    opened,
    detected: opened + MINUTE_MS,
    named: opened + 2 * MINUTE_MS,
    last: end - MINUTE_MS,
    closed,
    severity,
    peak_severity: severity,
    evidence: { at_first: { degraded: clients - 3, healthy: 3 }, now: { degraded: clients, healthy: 0 } },
    pairs: clients,
    clients,
    targets: 1,
    revision: 1,
    as_of: Date.now(),
    sentence: `Target ${name} is ${label} for all ${clients} clients`,
    acknowledged: acknowledgement ? { at: acknowledgement.at, by: acknowledgement.by } : null,
    planned: maintenance.some(({ cause }) => cause.value[0] === name),
  };
}

function notesOf(number: number): IncidentNote[] {
  return notes.get(idOf(number)) ?? [];
}

export function incident(network: Network, id: string): IncidentDetail | null {
  const found = incidentOf(network, Number.parseInt(id, 16));
  if (found === null) return null;
  const { cause, severity, opened, closed, evidence } = found;
  const narrow: Incident['cause'] = { dimension: 'client', value: [network.clients[0]?.client_id ?? ''] };
  const of = { severity, degraded: evidence.at_first.degraded, state: 'open' as const, because: null };
  return {
    ...found,
    revisions: [
      { revision: 0, at: opened + MINUTE_MS, change: 'opened', cause: narrow, ...of },
      { revision: 1, at: opened + 2 * MINUTE_MS, change: 'cause', cause, ...of },
      ...(closed === null
        ? []
        : [{ ...of, revision: 2, at: closed, change: 'closed' as const, cause, state: 'closed' as const }]),
    ],
    notes: notes.get(id) ?? [],
  };
}

export function incidentPairs(network: Network, id: string): IncidentPair[] {
  const found = incident(network, id);
  return network.clients.map(({ client_id }, index) => ({
    client_id,
    target: found?.cause.value[0] ?? '',
    since: (found?.opened ?? 0) + (index % 2) * MINUTE_MS,
    until: found?.last ?? 0,
    severity: SEVERITIES[index % 3] ?? 'minor',
  }));
}

export function addNote(id: string, said: NewNote): IncidentNote {
  const before = notes.get(id) ?? [];
  const { text = '', by, acknowledges = false } = said;
  const note = { id: before.length + 1, at: Date.now(), by: by ?? 'mock', text, acknowledges };
  notes.set(id, [...before, note]);
  return note;
}

export function maintenanceWindows(): MaintenanceWindow[] {
  return maintenance;
}

export function plan(one: NewMaintenance): MaintenanceWindow {
  const added = { ...one, by: one.by ?? 'mock', at: Date.now(), id: (maintenance.at(-1)?.id ?? 0) + 1 };
  maintenance.push(added);
  return added;
}

export function cancel(id: number): null {
  const at = maintenance.findIndex((one) => one.id === id);
  if (at >= 0) maintenance.splice(at, 1);
  return null;
}

/** What the overview says of incidents. */
export function incidentsOfOverview(
  network: Network,
  to: number,
): Pick<Overview, 'sentence' | 'incidents' | 'incidents_left_off' | 'last_incident_closed' | 'unmeasured'> {
  const recent = incidents(network, to - 2 * FAULT_MS, to);
  const open = recent.filter(({ state }) => state === 'open');
  const first = open[0];
  return {
    sentence: {
      text: first ? first.sentence : 'All pairs are healthy.',
      severity: first?.severity ?? null,
      incident: first?.id ?? null,
      since: first?.opened ?? null,
    },
    incidents: open,
    incidents_left_off: 0,
    last_incident_closed: recent.find(({ closed }) => closed !== null)?.closed ?? null,
    unmeasured: { pairs: 0, clients: [], clients_left_off: 0 },
  };
}

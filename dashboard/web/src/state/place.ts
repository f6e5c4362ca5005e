// What the page shows, and the same as a URL's query. Pure: history is navigation.ts's.

import type { Bounds } from '../api/client.ts';
import type { Label } from '../api/types.ts';
import { isTagDimension, isTagged, MOST_TAGGED, type TagDimension, type Tagged } from '../words/tags.ts';
import { DEFAULT_RANGE, isPreset, type Range } from './range.ts';

const VIEWS = ['fleet', 'incident', 'maintenance', 'pair', 'target', 'client', 'different', 'pipeline'] as const;
export type View = (typeof VIEWS)[number];

export const GROUPINGS = ['target', 'client', 'isp'] as const;
/** By these, or by a label of clients or of targets. */
export type Grouping = (typeof GROUPINGS)[number] | TagDimension;

export const PHASES = ['total', 'ttfb', 'handshake', 'tls', 'tcp', 'dns'] as const;
export type Phase = (typeof PHASES)[number];

const SORTS = ['worst', 'name', 'degraded', 'failed', 'ttfb', 'total', 'throughput'] as const;
export type Sort = (typeof SORTS)[number];

const LABELS = ['dns-bound', 'handshake-bound', 'server-bound', 'throughput-bound', 'error-bound'] as const;

/** The names that an address of the page has. Others are of whatever it came through. */
export const NAMES = [
  'view',
  'incident',
  'client',
  'target',
  'range',
  'from',
  'to',
  'by',
  'isp',
  'label',
  'labelled',
  'only',
  'phase',
  'inside_from',
  'inside_to',
  'measure',
  'min',
  'max',
  'sort',
  'tables',
] as const;

/** Values of a column, both ends included; an end that is null is open, and one of them is not. */
export interface Measure {
  column: string;
  min: number | null;
  max: number | null;
}

export interface Place {
  view: View;
  client: string | null;
  target: string | null;
  /** The id of an incident: the one that is shown, or that maintenance is planned for. */
  incident: string | null;
  range: Range;
  /** How the fleet's diagnoses are grouped. */
  by: Grouping;
  /** Filters of the fleet: one provider (an empty text: clients without one), one label, hurt rows and columns only. */
  isp: string | null;
  label: Label | null;
  /** The fleet's pairs with each of these labels of their client and target. */
  labelled: Tagged[];
  only: boolean;
  /** Which phase the smoke graph shows; null is the one that hurts. */
  phase: Phase | null;
  /** The marked region. */
  inside: Bounds | null;
  measure: Measure | null;
  /** By which column pairs are ranked. */
  sort: Sort;
  /** Whether each chart shows its table. */
  tables: boolean;
}

export const HOME: Place = {
  view: 'fleet',
  client: null,
  target: null,
  incident: null,
  range: DEFAULT_RANGE,
  by: 'target',
  isp: null,
  label: null,
  labelled: [],
  only: false,
  phase: null,
  inside: null,
  measure: null,
  sort: 'worst',
  tables: false,
};

/** The place that a query names. What it does not name, or names wrongly, is as at home. */
export function parsePlace(query: string): Place {
  const asked = new URLSearchParams(query);
  const incident = incidentId(asked.get('incident'));
  const place: Place = {
    view: one(VIEWS, asked.get('view')) ?? (incident === null ? 'fleet' : 'incident'),
    client: asked.get('client') || null,
    target: asked.get('target') || null,
    incident,
    range: range(asked),
    by: grouping(asked.get('by')),
    isp: asked.get('isp'),
    label: one(LABELS, asked.get('label')),
    labelled: labels(asked.getAll('labelled')),
    only: asked.get('only') === 'degraded',
    phase: one(PHASES, asked.get('phase')),
    inside: bounds(asked.get('inside_from'), asked.get('inside_to')),
    measure: measure(asked),
    sort: one(SORTS, asked.get('sort')) ?? 'worst',
    tables: asked.get('tables') === '1',
  };
  return possible(place);
}

/** The query that names a place; what is as at home is left out. */
export function formatPlace(place: Place): string {
  const said = new URLSearchParams();
  const say = (name: (typeof NAMES)[number], value: string | number | null) => {
    if (value !== null) said.set(name, String(value));
  };
  say('view', place.view === usualView(place) ? null : place.view);
  say('incident', place.incident);
  say('client', place.client);
  say('target', place.target);
  if ('last' in place.range) {
    say('range', place.range.last === '1h' ? null : place.range.last);
  } else {
    say('from', place.range.from);
    say('to', place.range.to);
  }
  say('by', place.by === 'target' ? null : place.by);
  say('isp', place.isp);
  say('label', place.label);
  for (const tagged of place.labelled) said.append('labelled', tagged);
  say('only', place.only ? 'degraded' : null);
  say('phase', place.phase);
  say('inside_from', place.inside?.from ?? null);
  say('inside_to', place.inside?.to ?? null);
  say('measure', place.measure?.column ?? null);
  say('min', place.measure?.min ?? null);
  say('max', place.measure?.max ?? null);
  say('sort', place.sort === 'worst' ? null : place.sort);
  say('tables', place.tables ? '1' : null);
  const text = said.toString();
  return text ? `?${text}` : '';
}

/** What is around a place; null at the top. */
export function above(place: Place): Partial<Place> | null {
  const { view, client, target, inside, isp, label, labelled, only } = place;
  if (inside !== null && view !== 'different') return { inside: null, measure: null };
  if (view === 'different' && client !== null) return { view: 'client' };
  if (view === 'different' && target !== null) return { view: 'target' };
  if (view !== 'fleet') return { view: 'fleet', client: null, target: null };
  if (isp !== null || label !== null || labelled.length > 0 || only) {
    return { isp: null, label: null, labelled: [], only: false };
  }
  return null;
}

/** A view needs the names that it is about; without them it is the fleet's. */
function possible(place: Place): Place {
  const { view, client, target, incident } = place;
  const lacks =
    (view === 'incident' && incident === null) ||
    (view === 'pair' && !(client && target)) ||
    (view === 'client' && !client) ||
    (view === 'target' && !target);
  return lacks ? { ...place, view: 'fleet' } : place;
}

/** What an address without a view shows. */
function usualView({ incident }: Place): View {
  return incident === null ? 'fleet' : 'incident';
}

function grouping(text: string | null): Grouping {
  return text !== null && isTagDimension(text) ? text : (one(GROUPINGS, text) ?? 'target');
}

/** Each once. */
function labels(texts: string[]): Tagged[] {
  return [...new Set(texts.filter(isTagged))].slice(0, MOST_TAGGED);
}

function incidentId(text: string | null): string | null {
  return text !== null && /^[0-9a-f]{16}$/.test(text) ? text : null;
}

function one<T extends string>(choices: readonly T[], text: string | null): T | null {
  return choices.find((choice) => choice === text) ?? null;
}

function range(asked: URLSearchParams): Range {
  const exact = bounds(asked.get('from'), asked.get('to'));
  if (exact) return exact;
  const named = asked.get('range') ?? '';
  return isPreset(named) ? { last: named } : DEFAULT_RANGE;
}

function bounds(from: string | null, to: string | null): Bounds | null {
  const [start, end] = [time(from), time(to)];
  return start !== null && end !== null && start < end ? { from: start, to: end } : null;
}

/** Unix milliseconds or RFC 3339, as the API takes them. */
function time(text: string | null): number | null {
  if (!text) return null;
  const value = /^-?\d+$/.test(text) ? Number(text) : Date.parse(text);
  return Number.isSafeInteger(value) ? value : null;
}

function measure(asked: URLSearchParams): Measure | null {
  const column = asked.get('measure');
  const [min, max] = [number(asked.get('min')), number(asked.get('max'))];
  if (!column || !/^[a-z0-9_]+$/.test(column) || (min === null && max === null)) return null;
  return { column, min, max };
}

function number(text: string | null): number | null {
  const value = text ? Number(text) : Number.NaN;
  return Number.isFinite(value) ? value : null;
}

// Incidents in words: whom they hit, what speaks for them, and what has changed of them.

import type { Cause, CauseDimension, Incident, IncidentRevision, SilentClient, Weight } from '../api/types.ts';
import type { Place } from '../state/place.ts';
import { count } from './figures.ts';
import { plainText, type Part } from './parts.ts';
import { isTagDimension, taggedWith, tagWords } from './tags.ts';
import { plural } from './text.ts';

/** What each part of a cause's value is; nothing where all pairs are meant. */
const VALUES: Readonly<Record<string, string[]>> = {
  client: ['client'],
  target: ['target'],
  host: ['host'],
  'isp×target': ['provider', 'target'],
  'site×network_type': ['site', 'network'],
  site: ['site'],
  hosting: ['hosting network'],
  isp: ['provider'],
  network_type: ['network'],
  everything: [],
};

/** Without labels, whose names differ from fleet to fleet. */
export const CAUSE_DIMENSIONS: CauseDimension[] = Object.keys(VALUES);

/** What the parts of a value are called. A netqoe that is newer than the page may know other dimensions. */
export function valueNames(dimension: CauseDimension): string[] {
  return VALUES[dimension] ?? [tagWords(dimension) ?? dimension];
}

/** As `provider × target`. */
export function dimensionText(dimension: CauseDimension): string {
  return dimension === 'everything' ? 'everything' : valueNames(dimension).join(' × ');
}

/** As `provider Northline × target https://example.com/`, each name leading to its view. */
export function causeParts({ dimension, value }: Cause): Part[] {
  if (dimension === 'everything') return ['everything'];
  const names = valueNames(dimension);
  return value.flatMap((name, index): Part[] => {
    const what = names[index] ?? '';
    return [index > 0 ? ` × ${what} ` : `${what} `, { name, place: placeOf(dimension, what, name) }];
  });
}

export function causeText(cause: Cause): string {
  return plainText(causeParts(cause));
}

function placeOf(dimension: CauseDimension, what: string, name: string): Partial<Place> | null {
  if (isTagDimension(dimension)) {
    return { view: 'fleet', labelled: taggedWith([], dimension, name), client: null, target: null };
  }
  switch (what) {
    case 'client':
      return { view: 'client', client: name, target: null };
    case 'target':
      return { view: 'target', target: name, client: null };
    case 'provider':
      return { view: 'fleet', isp: name, client: null, target: null };
    default:
      return null;
  }
}

/** As `12 of 14 pairs`, of those that its cause holds. */
export function weightText({ degraded, healthy }: Weight): string {
  return `${count(degraded)} of ${plural(degraded + healthy, 'pair')}`;
}

/** Who has had it, as `14 pairs of 3 clients and 5 targets`. */
export function sizeText({ pairs, clients, targets }: Incident): string {
  return `${plural(pairs, 'pair')} of ${plural(clients, 'client')} and ${plural(targets, 'target')}`;
}

/** When it ended, or until when it has lasted so far. */
export function endOf({ closed }: Pick<Incident, 'closed'>, now: number): number {
  return closed ?? now;
}

/** What a revision says; `before` is the one before it. */
export function revisionParts(
  { change, cause, severity, degraded, state, because }: IncidentRevision,
  before: IncidentRevision | null,
  incident: Pick<Incident, 'withdrawn_because'>,
): Part[] {
  switch (change) {
    case 'opened':
      return ['opened: ', ...causeParts(cause), `, ${severity}, ${plural(degraded, 'pair')}`];
    case 'cause':
      return before === null
        ? ['cause amended to ', ...causeParts(cause)]
        : ['cause amended from ', ...causeParts(before.cause), ' to ', ...causeParts(cause)];
    case 'severity':
      return [before === null ? `now ${severity}` : `from ${before.severity} to ${severity}`];
    case 'absorbed':
      return [`another incident turned out to be a part of it; ${plural(degraded, 'pair')} now`];
    case 'closed':
      return ['closed'];
    case 'withdrawn': {
      const why = because ?? incident.withdrawn_because;
      return [why === null ? 'withdrawn' : `withdrawn: ${why}`];
    }
    case 'corrected': {
      const what: Part[] = [
        `corrected: ${state}, `,
        ...causeParts(cause),
        `, ${severity}, ${plural(degraded, 'pair')}`,
      ];
      return because === null ? what : [...what, `. ${because}`];
    }
  }
}

/** Who is silent; `reports` where the client still measures something else. */
export function silenceParts({ client_id, pairs }: SilentClient, since: string, reports: boolean): Part[] {
  const client: Part = { name: client_id, place: { view: 'client', client: client_id, target: null } };
  if (!reports) return [client, ` has not reported since ${since}: ${plural(pairs, 'pair')}`];
  const have = pairs === 1 ? 'has' : 'have';
  return [`${plural(pairs, 'target')} of `, client, ` ${have} not been measured since ${since}`];
}

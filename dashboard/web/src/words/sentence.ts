// The first thing that the page says: one sentence, from the overview's figures alone.

import type { Overview } from '../api/types.ts';
import type { Place } from '../state/place.ts';
import { causesOf, firstOf, type Cause } from './causes.ts';
import { networkText } from './network.ts';
import { plural } from './text.ts';

/** A part of a sentence; a name leads to its view. `name` is text from events, to be shown with care. */
export type Part = string | { name: string; place: Partial<Place> };

export interface Sentence {
  tone: 'good' | 'bad' | 'unknown';
  parts: Part[];
  /** What to do, where there is something to do. */
  advice?: string;
}

export interface Telling {
  /** Says a time. */
  time: (at: number) => string;
  /** Whether the range ended in the past. */
  past: boolean;
  now: number;
}

/** So many windows without a row, and what the newest ones say is no longer the present. */
const SILENT_WINDOWS = 5;
/** More causes than this are counted, not named. */
const NAMED = 3;

export function sentenceOf(overview: Overview, telling: Telling): Sentence {
  const { pairs, at } = overview;
  if (at === null || pairs.total === 0) return nothing(telling);
  const end = at + overview.window_ms;
  if (!telling.past && telling.now - end > SILENT_WINDOWS * overview.window_ms) return silent(overview, end, telling);
  if (pairs.degraded > 0) return { tone: 'bad', parts: hurt(overview, telling) };
  const are = telling.past ? 'were' : 'are';
  if (pairs.healthy === 0) {
    return {
      tone: 'unknown',
      parts: [
        pairs.total === 1
          ? `The only pair ${telling.past ? 'was' : 'is'} measured, and has no baseline yet.`
          : `${plural(pairs.total, 'pair')} ${are} measured, and none has a baseline yet.`,
      ],
      advice: `A pair is judged once it has ten earlier windows with a success: after about ${Math.round((overview.window_ms * 11) / 60_000)} minutes.`,
    };
  }
  const of = pairs.unknown > 0 ? all(pairs.healthy, 'judged pair') : all(pairs.total, 'pair');
  const rest =
    pairs.unknown > 0
      ? `; ${pairs.unknown.toLocaleString('en')} ${pairs.unknown === 1 ? 'has' : 'have'} no baseline yet`
      : '';
  const verb = pairs.healthy === 1 ? (telling.past ? 'was' : 'is') : are;
  return { tone: 'good', parts: [`${of} ${verb} healthy${telling.past ? ` at ${telling.time(at)}` : ''}${rest}.`] };
}

/** What a screen reader says, and what tests compare. */
export function plainText({ parts }: Sentence): string {
  return parts.map((part) => (typeof part === 'string' ? part : part.name)).join('');
}

/** When it last was not well, as `Last degraded: 20 pairs until 16:17, dns-bound at t-7 for all 4 providers.` */
export function lastDegradedParts(then: Overview, until: string): Part[] {
  const causes = causesOf(then);
  const first = causes[0];
  const parts: Part[] = [`Last degraded: ${plural(then.pairs.degraded, 'pair')} until ${until}`];
  if (first) parts.push(', ', ...causeParts(first));
  if (causes.length > 1) parts.push(`; and ${plural(causes.length - 1, 'more cause')}`);
  return [...parts, '.'];
}

/** What is no longer measured is told as what it was. */
function silent(overview: Overview, end: number, telling: Telling): Sentence {
  const { parts } = sentenceOf(overview, { ...telling, past: true });
  return {
    tone: 'unknown',
    parts: [`Nothing has been measured since ${telling.time(end)}. Before that: `, ...parts],
    advice: 'See under “Pipeline” whether events arrive, and whether the probes run.',
  };
}

function nothing({ past }: Telling): Sentence {
  if (past) {
    return {
      tone: 'unknown',
      parts: ['There are no measurements in this range.'],
      advice: 'Choose another range, or “Last 1 hour” for the present.',
    };
  }
  return {
    tone: 'unknown',
    parts: ['There are no measurements yet.'],
    advice:
      'Start a probe: netqoe probe --target https://example.com/ --endpoint URL, with the URL of netqoe up or ingest. ' +
      'To see a fleet first, start netqoe up --demo.',
  };
}

function hurt(overview: Overview, telling: Telling): Part[] {
  const causes = causesOf(overview);
  const named = causes.slice(0, NAMED);
  const parts: Part[] = [subject(overview, causes, telling), ': '];
  named.forEach((cause, index) => {
    if (index > 0) parts.push('; ');
    parts.push(...causeParts(cause));
  });
  const more = causes.length - named.length;
  if (more > 0) parts.push(`; and ${plural(more, 'more cause')}`);
  const unnamed = unaccounted(overview, causes);
  if (unnamed > 0) parts.push(` (${plural(unnamed, 'more pair')} not looked at)`);
  parts.push('.');
  return parts;
}

/** Pairs of which the answer has no diagnosis, and which no cause can be said to hold. */
function unaccounted({ pairs, diagnoses_left_off }: Overview, causes: Cause[]): number {
  const held = causes.reduce((sum, cause) => sum + (cause.kind === 'pair' ? 1 : cause.group.degraded_pairs), 0);
  return Math.max(0, Math.min(diagnoses_left_off, pairs.degraded - held));
}

/** Counts what the causes are of: targets where all are targets, and so on; pairs where they differ. */
function subject({ targets, clients, pairs, at }: Overview, causes: Cause[], telling: Telling): string {
  const are = (count: number) => (telling.past ? (count === 1 ? 'was' : 'were') : count === 1 ? 'is' : 'are');
  const kinds = new Set(causes.map(({ kind }) => kind));
  const of = (count: number, total: number, what: string) =>
    `${count.toLocaleString('en')} of ${plural(total, what)} ${are(count)} degraded`;
  const only = kinds.size === 1 ? causes[0]?.kind : undefined;
  const who =
    only === 'target'
      ? of(targets.degraded, targets.total, 'target')
      : only === 'client'
        ? of(clients.degraded, clients.total, 'client')
        : of(pairs.degraded, pairs.total, 'pair');
  const when = telling.past && at !== null ? ` at ${telling.time(at)}` : '';
  return `${who}${when}${sinceText(causes, telling)}`;
}

function sinceText(causes: Cause[], { time, past }: Telling): string {
  const since = firstOf(causes);
  if (since === null) return '';
  const which = causes.length > 1 ? ', the first' : past ? ',' : '';
  return `${which} since ${time(since)}`;
}

function causeParts(cause: Cause): Part[] {
  const label = cause.mixed ? `mostly ${cause.label}` : cause.label;
  switch (cause.kind) {
    case 'target': {
      const { target } = cause.group;
      return [
        `${label} at `,
        { name: target, place: { view: 'target', target, client: null } },
        targetScope(cause.group),
      ];
    }
    case 'client': {
      const { client_id, targets, target_count, pairs } = cause.group;
      const known = networkText(cause.group);
      const network = known && ` (${known})`;
      const client: Part = { name: client_id, place: { view: 'client', client: client_id, target: null } };
      const one = targets[0];
      if (target_count === 1 && one !== undefined)
        return [`${label} at `, pairOf(client_id, one), ' for ', client, network];
      return [`${label} for `, client, `${network} at ${ofAll(target_count, pairs, 'target')}`];
    }
    case 'isp': {
      const { isp, client_count, target_count } = cause.group;
      const provider: Part = { name: isp ?? 'none', place: { view: 'fleet', isp, by: 'isp' } };
      return [`${label} for `, provider, ` (${plural(client_count, 'client')}, ${plural(target_count, 'target')})`];
    }
    case 'pair': {
      const { client_id, target } = cause.diagnosis;
      const client: Part = { name: client_id, place: { view: 'client', client: client_id, target: null } };
      return [`${label} at `, pairOf(client_id, target), ' for ', client];
    }
  }
}

function pairOf(client: string, target: string): Part {
  return { name: target, place: { view: 'pair', client, target } };
}

function targetScope({ isps, isp_count, all_isps, client_count, degraded_pairs, pairs }: HurtTargetScope): Part {
  if (all_isps && isp_count > 1) return ` for all ${isp_count.toLocaleString('en')} providers`;
  const provider = isps[0];
  if (!all_isps && isp_count === 1 && provider !== undefined && client_count > 1) return ` for ${provider} only`;
  if (!all_isps && isp_count > 1) return ` for ${plural(isp_count, 'provider')}`;
  return ` for ${ofAll(degraded_pairs, pairs, 'client')}`;
}

type HurtTargetScope = Extract<Cause, { kind: 'target' }>['group'];

function ofAll(count: number, total: number, what: string): string {
  return count >= total ? all(total, what).toLowerCase() : `${count.toLocaleString('en')} of ${plural(total, what)}`;
}

/** `All 20 clients`; of one, `The only client`. */
function all(total: number, what: string): string {
  return total === 1 ? `The only ${what}` : `All ${plural(total, what)}`;
}

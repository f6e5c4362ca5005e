// Events that were sent and are not counted, in words.

import type { Uncounted, UncountedItem } from '../api/types.ts';
import { count } from './figures.ts';

/** Why ingest refuses, by its codes. */
const REASONS: Record<string, string> = {
  invalid_request: 'no event: not as an event must be',
  invalid_schema_version: 'of another version',
  invalid_event_id: 'no valid event_id',
  invalid_timestamp: 'no valid time, or one too far ahead',
  unauthorized: 'no token, a wrong one, or one for other clients',
  forbidden: 'sent by a page of another site',
  request_timeout: 'came too slowly',
  payload_too_large: 'too long',
  unsupported_media_type: 'of a type or compression that is not read',
  rate_limit_exceeded: 'above the rate of its client',
  too_many_pairs: 'of one pair too many',
  memory_exceeded: 'of a new pair, without the memory for it',
  service_unavailable: 'the log could not take it; probes send it again',
};

const KINDS = ['late', 'refused', 'unreadable'] as const;

export function reasonText({ left_out, reason }: UncountedItem): string {
  if (left_out === 'late') return 'Late: its window was closed';
  if (left_out === 'unreadable') return 'Unreadable: a dead letter';
  return `Refused: ${REASONS[reason] ?? reason}`;
}

export function uncountedTotal({ items }: Uncounted): number {
  return items.reduce((sum, item) => sum + item.count, 0);
}

/** As `12 late, 3 refused`; what there is none of is left out. */
export function kindsText({ items }: Uncounted): string {
  const of = (kind: string) =>
    items.filter(({ left_out }) => left_out === kind).reduce((sum, item) => sum + item.count, 0);
  const counts = KINDS.map((kind) => [kind, of(kind)] as const).filter(([, of]) => of > 0);
  return counts.map(([kind, of]) => `${count(of)} ${kind}`).join(', ');
}

/** What the counts lack, a sentence each. */
export function lacksTexts({ counts_refused, counts_all_partitions }: Uncounted): string[] {
  return [
    counts_refused
      ? null
      : 'What ingest refuses is counted by each ingest: telemetry_ingest_refused_total at its /metrics.',
    counts_all_partitions ? null : 'Late and unreadable events are those of the partitions of this process.',
  ].filter((text) => text !== null);
}

/** The last event that is not counted, whatever the reason; null where all are. */
export function lastOf({ items }: Uncounted): UncountedItem['last'] | null {
  return items.map(({ last }) => last).sort((a, b) => b.at - a.at)[0] ?? null;
}

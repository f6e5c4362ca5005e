// The pairs of an incident, the most telling first: the gravest, and of these what has had it longest. Pure.

import type { IncidentPair } from '../../api/types.ts';
import { weight } from '../../words/labels.ts';

export function typicalOf(pairs: readonly IncidentPair[]): IncidentPair[] {
  return [...pairs].sort(
    (a, b) => weight(b.severity) - weight(a.severity) || b.until - b.since - (a.until - a.since) || byName(a, b),
  );
}

/** By code points, as the server orders names. */
function byName(a: IncidentPair, b: IncidentPair): number {
  const [one, other] = [`${a.client_id}\u0000${a.target}`, `${b.client_id}\u0000${b.target}`];
  return one < other ? -1 : one > other ? 1 : 0;
}

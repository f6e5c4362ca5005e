// Which time an incident's page shows, and how many pairs had the incident when. Pure.

import type { Bounds } from '../../api/client.ts';
import type { Incident, IncidentPair } from '../../api/types.ts';
import { endOf } from '../../words/incidents.ts';

const MINUTE_MS = 60_000;
/** So much of the time before it is shown, at least and at most: enough to see what was usual. */
const LEAST_BEFORE_MS = 15 * MINUTE_MS;
const MOST_BEFORE_MS = 6 * 60 * MINUTE_MS;
const MOST_AFTER_MS = 30 * MINUTE_MS;

/** From its first window to its end, or to now: never empty. */
export function during(incident: Incident, now: number): Bounds {
  const to = Math.max(endOf(incident, now), incident.opened + MINUTE_MS);
  return { from: incident.opened, to };
}

/** The incident with some time before it, and after it where there is some already. */
export function around(incident: Incident, now: number): Bounds {
  const { from, to } = during(incident, now);
  const before = Math.min(MOST_BEFORE_MS, Math.max(LEAST_BEFORE_MS, to - from));
  const present = (Math.floor(now / MINUTE_MS) + 1) * MINUTE_MS;
  return { from: from - before, to: Math.max(to, Math.min(present, to + Math.min(MOST_AFTER_MS, before))) };
}

export interface Members {
  start: number[];
  point_ms: number;
  /** How many pairs had the incident at each point. */
  counts: number[];
}

/** As many points as can be told apart. */
const MOST_POINTS = 240;

/** A pair counts from the first of its windows with the label to the end of the newest, also where it was well for a while between them. */
export function membersOf(pairs: readonly IncidentPair[], { from, to }: Bounds, window_ms: number): Members {
  const windows = Math.max(1, Math.ceil((to - from) / window_ms));
  const point_ms = Math.ceil(windows / MOST_POINTS) * window_ms;
  const first = Math.floor(from / point_ms) * point_ms;
  const points = Math.max(1, Math.ceil((to - first) / point_ms));
  const changes = Array.from({ length: points + 1 }, () => 0);
  const indexOf = (at: number) => Math.min(points, Math.max(0, Math.floor((at - first) / point_ms)));
  for (const { since, until } of pairs) {
    if (until + window_ms <= first || since >= first + points * point_ms) continue;
    changes[indexOf(since)]! += 1;
    changes[indexOf(until) + 1]! -= 1;
  }
  let count = 0;
  const counts = changes.slice(0, points).map((change) => (count += change));
  return { start: counts.map((_, index) => first + index * point_ms), point_ms, counts };
}

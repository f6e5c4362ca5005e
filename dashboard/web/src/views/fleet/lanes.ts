// Where each incident is in the timeline: bars that never lie over each other, in as few rows as that takes. Pure.

import type { Bounds } from '../../api/client.ts';
import type { Incident } from '../../api/types.ts';
import { endOf } from '../../words/incidents.ts';
import { weight } from '../../words/labels.ts';

export interface Bar {
  incident: Incident;
  lane: number;
  /** As shares of the range. */
  left: number;
  width: number;
  /** Whether it goes on, as far as the range tells. */
  goesOn: boolean;
}

export interface Lanes {
  /** In the order of time. */
  bars: Bar[];
  lanes: number;
  /** Incidents for which there was no room. */
  left: number;
}

/** However short an incident is, its bar has room for a letter. */
const LEAST_SHARE = 0.012;

/** The gravest have the upper lanes; where there are more than lanes, the least grave are left out. */
export function lanesOf(incidents: readonly Incident[], bounds: Bounds, now: number, most: number): Lanes {
  const ends: { from: number; to: number }[][] = [];
  const bars: Bar[] = [];
  let left = 0;
  for (const incident of gravestFirst(incidents)) {
    const span = spanOf(incident, bounds, now);
    if (span === null) continue;
    const free = ends.findIndex((lane) => lane.every(({ from, to }) => to <= span.from || span.to <= from));
    const lane = free < 0 ? ends.length : free;
    if (lane >= most) {
      left += 1;
      continue;
    }
    (ends[lane] ??= []).push(span);
    const goesOn = incident.closed === null || incident.closed > bounds.to;
    bars.push({ incident, lane, left: span.from, width: span.to - span.from, goesOn });
  }
  bars.sort((a, b) => a.incident.opened - b.incident.opened || a.lane - b.lane);
  return { bars, lanes: ends.length, left };
}

/** From where to where, as shares of the range; null outside of it. */
function spanOf(incident: Incident, { from, to }: Bounds, now: number): { from: number; to: number } | null {
  const [opened, end] = [incident.opened, endOf(incident, now)];
  if (end <= from || opened >= to) return null;
  const share = (at: number) => Math.min(1, Math.max(0, (at - from) / (to - from)));
  const [start, stop] = [share(opened), share(end)];
  const width = Math.max(LEAST_SHARE, stop - start);
  const first = Math.min(start, 1 - width);
  return { from: first, to: first + width };
}

function gravestFirst(incidents: readonly Incident[]): Incident[] {
  return [...incidents].sort(
    (a, b) =>
      weight(b.peak_severity) - weight(a.peak_severity) ||
      a.opened - b.opened ||
      (a.id < b.id ? -1 : a.id > b.id ? 1 : 0),
  );
}

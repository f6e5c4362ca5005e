// The fewest targets, clients and providers that account for all current diagnoses.

import type { Diagnosis, HurtClient, HurtGroup, HurtIsp, HurtTarget, Label, Overview, Since } from '../api/types.ts';

interface Of {
  label: Label;
  /** Whether its diagnoses have other labels, too. */
  mixed: boolean;
  /** How many diagnoses it accounts for. */
  pairs: number;
  since: number | null;
}

export type Cause = Of &
  (
    | { kind: 'target'; group: HurtTarget }
    | { kind: 'client'; group: HurtClient }
    | { kind: 'isp'; group: HurtIsp }
    | { kind: 'pair'; diagnosis: Diagnosis }
  );

type Candidate = { group: HurtGroup; holds: (diagnosis: Diagnosis) => boolean } & (
  { kind: 'target'; group: HurtTarget } | { kind: 'client'; group: HurtClient } | { kind: 'isp'; group: HurtIsp }
);

/**
 * Takes the group that accounts for most of what is left and is itself hurt most completely, again and again. A target is preferred
 * to a client and that to a provider where they explain the same; a diagnosis that shares nothing with another stands for itself.
 */
export function causesOf(overview: Overview): Cause[] {
  const candidates = candidatesOf(overview);
  const causes: Cause[] = [];
  let left = overview.diagnoses;
  while (left.length > 0) {
    const best = bestOf(candidates, left);
    if (best === null) break;
    const covered = left.filter(best.holds);
    left = left.filter((diagnosis) => !best.holds(diagnosis));
    causes.push(causeOf(best, covered));
  }
  return [...causes, ...left.map(alone)];
}

function candidatesOf({ by_target, by_client, by_isp }: Overview): Candidate[] {
  return [
    ...by_target.map((group): Candidate => ({
      kind: 'target',
      group,
      holds: (diagnosis) => diagnosis.target === group.target,
    })),
    ...by_client.map((group): Candidate => ({
      kind: 'client',
      group,
      holds: (diagnosis) => diagnosis.client_id === group.client_id,
    })),
    // One client's provider says no more than the client.
    ...by_isp
      .filter((group) => group.client_count > 1 && group.isp !== null)
      .map((group): Candidate => ({ kind: 'isp', group, holds: (diagnosis) => diagnosis.isp === group.isp })),
  ];
}

function bestOf(candidates: Candidate[], left: Diagnosis[]): Candidate | null {
  let best: Candidate | null = null;
  let bestScore = 0;
  for (const candidate of candidates) {
    const covered = left.reduce((count, diagnosis) => count + (candidate.holds(diagnosis) ? 1 : 0), 0);
    const score = (covered * candidate.group.degraded_pairs) / Math.max(1, candidate.group.pairs);
    if (covered > 1 && score > bestScore) [best, bestScore] = [candidate, score];
  }
  return best;
}

function causeOf(candidate: Candidate, covered: Diagnosis[]): Cause {
  const label = mostFrequent(covered.map((diagnosis) => diagnosis.label));
  const mixed = covered.some((diagnosis) => diagnosis.label !== label);
  const { kind, group } = candidate;
  const of: Of = { label, mixed, pairs: covered.length, since: firstOf(covered) };
  return { ...of, kind, group } as Cause;
}

function alone(diagnosis: Diagnosis): Cause {
  return { kind: 'pair', diagnosis, label: diagnosis.label, mixed: false, pairs: 1, since: diagnosis.since };
}

/** When the earliest of them began. */
export function firstOf(all: Since[]): number | null {
  const known = all.flatMap(({ since }) => (since === null ? [] : [since]));
  return known.length > 0 ? Math.min(...known) : null;
}

function mostFrequent(labels: Label[]): Label {
  const count = new Map<Label, number>();
  for (const label of labels) count.set(label, (count.get(label) ?? 0) + 1);
  const ranked = [...count].sort(([, a], [, b]) => b - a);
  return ranked[0]?.[0] ?? 'healthy';
}

// What the API answers, beside the page.

import { expect } from '@playwright/test';

import type { Bounds } from '../../src/api/client.ts';
import type {
  DeadLetters,
  Diagnosis,
  Different,
  Incident,
  Items,
  MatrixAnswer,
  Overview,
  Pipeline,
  Runs,
  Series,
  Timeline,
} from '../../src/api/types.ts';
import type { Netqoe } from './netqoe.ts';

type Query = Record<string, string | number>;

export const answers = {
  overview: (netqoe: Netqoe, range: Partial<Bounds> = {}) => get<Overview>(netqoe, 'overview', { ...range }),
  matrix: (netqoe: Netqoe, range: Partial<Bounds> = {}) => get<MatrixAnswer>(netqoe, 'matrix', { ...range }),
  timeline: (netqoe: Netqoe, range: Bounds) => get<Timeline>(netqoe, 'timeline', { ...range }),
  series: (netqoe: Netqoe, client_id: string, target: string, range: Bounds) =>
    get<Series>(netqoe, 'series', { client_id, target, ...range }),
  diagnoses: (netqoe: Netqoe, query: Query) =>
    get<Items<Omit<Diagnosis, 'since'>>>(netqoe, 'diagnoses', { limit: 1000, ...query }),
  incidents: (netqoe: Netqoe, query: Query) => get<Items<Incident>>(netqoe, 'incidents', query),
  runs: (netqoe: Netqoe, query: Query) => get<Runs>(netqoe, 'runs', query),
  aggregates: (netqoe: Netqoe, query: Query) => get<Items<{ client_id: string }>>(netqoe, 'aggregates', query),
  different: (netqoe: Netqoe, query: Query) => get<Different>(netqoe, 'different', query),
  pipeline: (netqoe: Netqoe) => get<Pipeline>(netqoe, 'pipeline', {}),
  deadLetters: (netqoe: Netqoe) => get<DeadLetters>(netqoe, 'dead-letters', {}),
};

async function get<T>(netqoe: Netqoe, route: string, query: Query): Promise<T> {
  const parameters = new URLSearchParams(Object.entries(query).map(([name, value]) => [name, String(value)]));
  const response = await fetch(`${netqoe.origin}/api/v1/${route}?${parameters}`);
  expect(response.status, `${route} is answered`).toBe(200);
  return (await response.json()) as T;
}

import { expect, test } from 'vitest';

import type { Overview } from '../src/api/types.ts';
import { adviceOf, toneOf, type Tone } from '../src/words/summary.ts';
import { incidentOf, MINUTE, OPENED } from './incident.ts';

const present = { past: false, now: OPENED + 2 * MINUTE };

function overviewOf(change: Partial<Overview> = {}): Overview {
  return {
    at: OPENED,
    window_ms: MINUTE,
    pairs: { total: 20, healthy: 20, degraded: 0, unknown: 0, unmeasured: 0 },
    sentence: { text: 'All 20 pairs are as usual', severity: null, incident: null, since: null },
    incidents: [],
    unmeasured: { pairs: 0, clients: [], clients_left_off: 0 },
    ...change,
  } as Overview;
}

const sentence = { text: 'x', severity: 'minor', incident: null, since: null } as const;
const unmeasured = { pairs: 1, clients: [], clients_left_off: 0 };
const pairsOf = (healthy: number, degraded: number, unknown = 0) => ({
  total: healthy + degraded + unknown,
  healthy,
  degraded,
  unknown,
  unmeasured: 0,
});

test.each<[string, Partial<Overview>, Tone]>([
  ['all pairs are as usual', {}, 'good'],
  ['an incident is open', { incidents: [incidentOf()] }, 'bad'],
  ['pairs are degraded without one', { sentence }, 'bad'],
  ['a client is silent', { unmeasured }, 'unknown'],
  ['nothing can be judged', { pairs: pairsOf(0, 0, 20) }, 'unknown'],
  ['a pair is degraded and nobody says so yet', { pairs: pairsOf(19, 1) }, 'unknown'],
  ['nothing has come for long', { at: OPENED - 5 * MINUTE }, 'unknown'],
])('where %s, it is taken as such', (_, change, expected) => {
  expect(toneOf(overviewOf(change), present)).toBe(expected);
});

test('the past is not silent', () => {
  expect(toneOf(overviewOf({ at: OPENED - 5 * MINUTE }), { ...present, past: true })).toBe('good');
});

test('where there is something to do, it is said', () => {
  const advice = (change: Partial<Overview>, telling = present) => adviceOf(overviewOf(change), telling);
  const nothing = { at: null, pairs: pairsOf(0, 0) };
  expect(advice({})).toBe(null);
  expect(advice(nothing)).toContain('netqoe probe --target');
  expect(advice(nothing, { ...present, past: true })).toContain('Choose another range');
  expect(advice({ at: OPENED - 5 * MINUTE })).toContain('whether the probes run');
  expect(advice({ pairs: pairsOf(0, 0, 20) })).toMatch(/ten earlier windows .* about 11 minutes/);
});

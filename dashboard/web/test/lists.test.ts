import { expect, test } from 'vitest';

import type { Compare, ComparedPair } from '../src/api/types.ts';
import { found, type Named } from '../src/state/names.ts';
import { ranked } from '../src/views/compare/ranking.ts';
import { compareText } from '../src/words/compare.ts';

const pair = (client_id: string, change: Partial<ComparedPair> = {}): ComparedPair => ({
  client_id,
  target: 't',
  isp: null,
  network_type: null,
  client_labels: {},
  target_labels: {},
  windows: 10,
  degraded_windows: 0,
  count_total: 50,
  count_error: 0,
  ttfb_p95_max: 100,
  total_p95_max: 200,
  throughput_p50_min: 50,
  label: 'healthy',
  severity: null,
  since: null,
  values: [],
  degraded: [],
  ...change,
});
const order = (pairs: ComparedPair[]) => pairs.map(({ client_id }) => client_id).join(' ');
const name = ({ client_id }: ComparedPair) => client_id;

test('pairs are ranked worst first, and what is unknown stands last', () => {
  const pairs = [
    pair('c-10', { ttfb_p95_max: null, throughput_p50_min: 5 }),
    pair('c-9', { ttfb_p95_max: 300, count_total: 0 }),
    pair('c-1', { ttfb_p95_max: 900, throughput_p50_min: null, count_error: 5, degraded_windows: 2 }),
  ];
  expect(order(ranked(pairs, 'worst', name))).toBe('c-10 c-9 c-1');
  expect(order(ranked(pairs, 'name', name))).toBe('c-1 c-9 c-10');
  expect(order(ranked(pairs, 'ttfb', name))).toBe('c-1 c-9 c-10');
  expect(order(ranked(pairs, 'throughput', name))).toBe('c-10 c-9 c-1');
  expect(order(ranked(pairs, 'failed', name))).toBe('c-1 c-10 c-9');
  expect(order(ranked(pairs, 'degraded', name))).toBe('c-1 c-10 c-9');
});

function compare(pairs: ComparedPair[]): Compare {
  return { point_ms: 60_000, start: [], phase: 'total', answered: [], pairs, pairs_left_off: 0 };
}

test('what the pairs have in common is said', () => {
  expect(compareText(compare([pair('a'), pair('b')]), 'target', false)).toBe(
    'None of 2 clients is degraded now; none was in this range.',
  );
  const hurt = [pair('a', { label: 'dns-bound', degraded_windows: 1 }), pair('b', { degraded_windows: 2 })];
  expect(compareText(compare(hurt), 'target', false)).toBe(
    '1 of 2 clients is degraded now: dns-bound; 2 had degraded windows in this range.',
  );
});

test('of a range of the past it is said as it was', () => {
  const said = (...pairs: ComparedPair[]) => compareText(compare(pairs), 'target', true);
  const hurt = pair('a', { label: 'dns-bound', degraded_windows: 1 });
  expect(said(pair('a'), pair('b'))).toBe('None of 2 clients was degraded in this range.');
  expect(said(hurt, pair('b'))).toBe(
    '1 of 2 clients was degraded at the end of this range: dns-bound; 1 had degraded windows in it.',
  );
  expect(said(pair('a'), pair('b', { degraded_windows: 2 }))).toBe(
    'None of 2 clients was degraded at the end of this range; 1 had degraded windows in it.',
  );
  expect(said(hurt)).toBe(
    'Its only client was degraded at the end of this range: dns-bound; 1 window of this range is degraded.',
  );
});

test('one pair alone is no comparison', () => {
  expect(compareText(compare([pair('a')]), 'client', false)).toBe(
    'Its only target is not degraded now; 0 windows of this range are degraded.',
  );
});

test('names that begin with the text are found first', () => {
  const names: Named[] = ['my-api', 'api-1', 'www'].map((name) => ({ kind: 'target', name, about: '' }));
  expect(found(names, 'API', 10).map(({ name }) => name)).toEqual(['api-1', 'my-api']);
  expect(found(names, '', 2)).toHaveLength(2);
});

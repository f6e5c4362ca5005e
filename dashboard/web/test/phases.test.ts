// The phases that the smoke graph shows.

import { describe, expect, test } from 'vitest';

import type { Label, Series } from '../src/api/types.ts';
import { columnsOf, hurtingPhase } from '../src/charts/phases.ts';

const none = [null, null, null];
const columns = { usual: none, low: none, high: none };
const measured = {
  dns: [1, null, null],
  tcp: [2, 20, null],
  tls: [3, null, null],
  ttfb: [4, 40, null],
  throughput: none,
};

function series(usual: Partial<Series['usual']> = {}): Series {
  const all = { dns: columns, handshake: columns, ttfb: columns, total: columns, throughput: columns, ...usual };
  return { start: [0, 1, 2], p50: measured, p95: measured, usual: all, diagnoses: [] } as unknown as Series;
}

const usual = (value: number) => ({ usual: [value, value, value], low: none, high: none });

describe('columns', () => {
  test('a sum has what is known of each point, and is no column to look for', () => {
    const total = columnsOf(series(), 'total');
    expect([total.p50, total.column]).toEqual([[10, 60, null], null]);
    expect(columnsOf(series(), 'handshake').p95).toEqual([5, 20, null]);
  });

  test('a phase alone has its column, and what is usual where it is judged alone', () => {
    expect(columnsOf(series(), 'ttfb')).toMatchObject({ p50: measured.ttfb, usual: columns, column: 'ttfb_p95' });
    expect(columnsOf(series(), 'tls')).toMatchObject({ usual: null, column: 'tls_p95' });
  });

  test('the usual total is the rules’, or else the sum of what is usual of phases', () => {
    const phases = { dns: usual(1), handshake: usual(2), ttfb: usual(4) };
    expect(columnsOf(series(phases), 'total').usual?.usual).toEqual([7, 7, 7]);
    expect(columnsOf(series({ ...phases, total: usual(9) }), 'total').usual?.usual).toEqual([9, 9, 9]);
  });
});

test.each([
  [[], 'total'],
  [['dns-bound', 'server-bound'], 'dns'],
  [['handshake-bound'], 'handshake'],
  [['server-bound'], 'ttfb'],
  [['throughput-bound'], 'total'],
  [['error-bound'], 'total'],
] as [Label[], string][])('after %s the graph opens on %s', (labels, phase) => {
  const diagnoses = labels.map((label) => ({ label })) as Series['diagnoses'];
  expect(hurtingPhase({ diagnoses })).toBe(phase);
});

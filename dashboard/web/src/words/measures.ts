// By which columns windows can be told apart, and how that is said.

import type { Measure } from '../state/place.ts';
import { roundFigure } from './figures.ts';

export const COLUMNS: { column: string; name: string; unit: string }[] = [
  { column: 'ttfb_p95', name: 'TTFB p95', unit: 'ms' },
  { column: 'ttfb_p50', name: 'TTFB p50', unit: 'ms' },
  { column: 'tls_p95', name: 'TLS p95', unit: 'ms' },
  { column: 'tcp_p95', name: 'TCP p95', unit: 'ms' },
  { column: 'dns_p95', name: 'DNS p95', unit: 'ms' },
  { column: 'throughput_p50', name: 'throughput p50', unit: 'Mbit/s' },
  { column: 'count_error', name: 'failed measurements', unit: '' },
];

/** What a window that matches does, after a number of windows. */
export function matchesText(measure: Measure | null): string {
  return measure ? `have ${measureText(measure)}` : 'are degraded';
}

/** As `TTFB p95 from 110 to 180 ms`. */
export function measureText(measure: Measure): string {
  const name = COLUMNS.find(({ column }) => column === measure.column)?.name ?? measure.column;
  return `${name} ${valuesText(measure)}`;
}

/** As `from 110 to 180 ms`; of an end that is open, `of at least 110 ms`. */
export function valuesText({ column, min, max }: Measure): string {
  const unit = COLUMNS.find((known) => known.column === column)?.unit;
  const bound = (value: number) => (unit ? `${roundFigure(value)} ${unit}` : roundFigure(value));
  if (min === null) return max === null ? 'of any size' : `of at most ${bound(max)}`;
  return max === null ? `of at least ${bound(min)}` : `from ${roundFigure(min)} to ${bound(max)}`;
}

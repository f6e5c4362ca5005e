// By which columns windows can be told apart.

import type { Measure } from '../../state/place.ts';
import { roundFigure } from '../../words/figures.ts';

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
  if (!measure) return 'are degraded';
  const { name, unit } = COLUMNS.find(({ column }) => column === measure.column) ?? { name: measure.column, unit: '' };
  return `have ${name} from ${roundFigure(measure.min)} to ${roundFigure(measure.max)} ${unit}`.trimEnd();
}

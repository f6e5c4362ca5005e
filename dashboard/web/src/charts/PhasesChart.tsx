// The phases stacked on each other, against what the total usually is.

import type { Bounds } from '../api/client.ts';
import type { Series } from '../api/types.ts';
import { Time } from '../parts/Time.tsx';
import { usualText } from '../words/evidence.ts';
import { axisMs, ms } from '../words/figures.ts';
import { Chart } from './Chart.tsx';
import { palette } from './palette.ts';
import { stackBlocks, steps, usualBlocks, usualEdge } from './points.ts';
import { blocks, line } from './series.ts';

const PHASES = [
  ['dns', 'DNS'],
  ['tcp', 'TCP'],
  ['tls', 'TLS'],
  ['ttfb', 'TTFB'],
] as const;

/** Of the usual band's edges: over bars a shade alone is hard to see, and a line would be data. */
const DASH = [4, 3];

export function PhasesChart({ series, bounds }: { series: Series; bounds: Bounds }) {
  const { start, point_ms, p95, usual } = series;
  const colors = palette.value;
  const stacked = stackBlocks(
    start,
    point_ms,
    PHASES.map(([phase]) => p95[phase]),
  );
  const total = (index: number) => {
    const known = PHASES.map(([phase]) => p95[phase][index] ?? null).filter((value) => value !== null);
    return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0);
  };
  const edges = (['lower', 'upper'] as const).map((side) => steps(start, point_ms, usualEdge(usual.total, side)));
  return (
    <Chart
      title="Phases, 95th percentile of each, against the usual total (mean ± 2 σ)"
      height={200}
      bounds={bounds}
      start={start}
      point_ms={point_ms}
      value={axisMs}
      series={[
        ...PHASES.map(([phase], index) => blocks(stacked[index] ?? [], colors.token(`phase-${phase}`), 1, 1)),
        blocks(usualBlocks(start, point_ms, usual.total), colors.token('over'), 0.28, 2),
        ...edges.map((edge) => line(edge, colors.token('median'), 1.2, 3, DASH)),
      ]}
      readings={(index) => [
        ...PHASES.map(([phase, name]) => ({ name, value: ms(p95[phase][index] ?? null), token: `phase-${phase}` })),
        { name: 'total', value: ms(total(index)) },
        { name: 'total usually', value: usualText(usual.total, index, 'ms'), token: 'usual-total' },
      ]}
      table={() => ({
        head: ['Window', ...PHASES.map(([, name]) => `${name} p95`), 'Total', 'Usually'],
        rows: start.map((from, index) => [
          <Time key={from} at={from} />,
          ...PHASES.map(([phase]) => ms(p95[phase][index] ?? null)),
          ms(total(index)),
          usualText(usual.total, index, 'ms'),
        ]),
      })}
    />
  );
}

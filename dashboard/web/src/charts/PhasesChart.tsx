// The phases stacked on each other, against what they usually add up to.

import type { Bounds } from '../api/client.ts';
import type { Series } from '../api/types.ts';
import { Time } from '../parts/Time.tsx';
import { axisMs, ms } from '../words/figures.ts';
import { Chart } from './Chart.tsx';
import { palette } from './palette.ts';
import { stackBlocks, steps, usualSum } from './points.ts';
import { blocks, DASH, line } from './series.ts';

const PHASES = [
  ['dns', 'DNS'],
  ['tcp', 'TCP'],
  ['tls', 'TLS'],
  ['ttfb', 'TTFB'],
] as const;

interface Props {
  series: Series;
  bounds: Bounds;
  during?: Bounds;
}

export function PhasesChart({ series, bounds, during }: Props) {
  const { start, point_ms, p50, usual, window_ms } = series;
  const colors = palette.value;
  const stacked = stackBlocks(
    start,
    point_ms,
    PHASES.map(([phase]) => p50[phase]),
  );
  const total = (index: number) => {
    const known = PHASES.map(([phase]) => p50[phase][index] ?? null).filter((value) => value !== null);
    return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0);
  };
  // Ranges can't be added up as the values can: phases are seldom at their worst together.
  const usually = usualSum([usual.dns.usual, usual.handshake.usual, usual.ttfb.usual]);
  const coarse = point_ms > window_ms ? ' (highest of each point’s windows)' : '';
  return (
    <Chart
      title={`Phases, median of each${coarse}, against what they usually add up to`}
      height={200}
      bounds={bounds}
      during={during}
      start={start}
      point_ms={point_ms}
      value={axisMs}
      series={[
        ...PHASES.map(([phase], index) => blocks(stacked[index] ?? [], colors.token(`phase-${phase}`), 1, 1)),
        line(steps(start, point_ms, usually), colors.token('median'), 1.6, 3, DASH),
      ]}
      readings={(index) => [
        ...PHASES.map(([phase, name]) => ({ name, value: ms(p50[phase][index] ?? null), token: `phase-${phase}` })),
        { name: 'total', value: ms(total(index)) },
        { name: 'total usually', value: ms(usually[index] ?? null), token: 'median', shape: 'line' as const },
      ]}
      table={() => ({
        head: ['Window', ...PHASES.map(([, name]) => `${name} p50`), 'Total', 'Usually'],
        rows: start.map((from, index) => [
          <Time key={from} at={from} />,
          ...PHASES.map(([phase]) => ms(p50[phase][index] ?? null)),
          ms(total(index)),
          ms(usually[index] ?? null),
        ]),
      })}
    />
  );
}

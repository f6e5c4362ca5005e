// Throughput: the median, against what it usually is.

import type { Bounds } from '../api/client.ts';
import type { Series } from '../api/types.ts';
import { Time } from '../parts/Time.tsx';
import { usualText } from '../words/evidence.ts';
import { axisMbits, mbits } from '../words/figures.ts';
import { Chart } from './Chart.tsx';
import { palette } from './palette.ts';
import { steps, usualBlocks } from './points.ts';
import { blocks, DASH, line } from './series.ts';

interface Props {
  series: Series;
  bounds: Bounds;
  during?: Bounds;
}

export function ThroughputChart({ series, bounds, during }: Props) {
  const { start, point_ms, p50, usual, window_ms } = series;
  const colors = palette.value;
  return (
    <Chart
      title={`Throughput, median${point_ms > window_ms ? ' (lowest of each point’s windows)' : ''}`}
      height={140}
      bounds={bounds}
      during={during}
      start={start}
      point_ms={point_ms}
      value={axisMbits}
      column="throughput_p50"
      series={[
        blocks(usualBlocks(start, point_ms, usual.throughput), colors.token('usual'), 0.2, 1),
        line(steps(start, point_ms, usual.throughput.usual), colors.token('usual'), 1.2, 1, DASH),
        line(steps(start, point_ms, p50.throughput), colors.token('median'), 1.8, 2),
      ]}
      readings={(index) => [
        { name: 'p50', value: mbits(p50.throughput[index] ?? null), token: 'median', shape: 'line' },
        { name: 'usually', value: usualText(usual.throughput, index, 'Mbit/s'), token: 'usual' },
      ]}
      table={() => ({
        head: ['Window', 'p50', 'Usually'],
        rows: start.map((from, index) => [
          <Time key={from} at={from} />,
          mbits(p50.throughput[index] ?? null),
          usualText(usual.throughput, index, 'Mbit/s'),
        ]),
      })}
    />
  );
}

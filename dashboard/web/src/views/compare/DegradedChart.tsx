// How many of the pairs were degraded, over time.

import type { Bounds } from '../../api/client.ts';
import type { Compare } from '../../api/types.ts';
import { Chart } from '../../charts/Chart.tsx';
import { palette } from '../../charts/palette.ts';
import { bandBlocks } from '../../charts/points.ts';
import { blocks } from '../../charts/series.ts';
import { Time } from '../../parts/Time.tsx';
import { count } from '../../words/figures.ts';

interface Props {
  compare: Compare;
  bounds: Bounds;
  kind: 'client' | 'target';
}

export function DegradedChart({ compare, bounds, kind }: Props) {
  const { start, point_ms, pairs, answered } = compare;
  const hurt = start.map((_, index) => pairs.filter(({ degraded }) => (degraded[index] ?? 0) > 0).length);
  const nothing = start.map(() => 0);
  const others = kind === 'client' ? 'Targets' : 'Clients';
  const colors = palette.value;
  return (
    <Chart
      title={`${others} with degraded windows`}
      height={130}
      bounds={bounds}
      start={start}
      point_ms={point_ms}
      value={count}
      whole
      series={[
        blocks(bandBlocks(start, point_ms, nothing, answered), colors.token('label-healthy'), 1, 1),
        blocks(
          bandBlocks(
            start,
            point_ms,
            nothing,
            hurt.map((value) => (value > 0 ? value : null)),
          ),
          colors.token('bad'),
          1,
          2,
        ),
      ]}
      readings={(index) => [
        { name: 'degraded', value: count(hurt[index]), token: 'bad' },
        { name: 'with an answer', value: count(answered[index]), token: 'healthy' },
      ]}
      table={() => ({
        head: ['From', 'Degraded', 'With an answer'],
        rows: start.map((from, index) => [<Time key={from} at={from} />, count(hurt[index]), count(answered[index])]),
      })}
    />
  );
}

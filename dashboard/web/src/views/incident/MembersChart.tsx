// How many pairs had the incident, over time.

import type { Bounds } from '../../api/client.ts';
import type { IncidentPair } from '../../api/types.ts';
import { Chart } from '../../charts/Chart.tsx';
import { palette } from '../../charts/palette.ts';
import { bandBlocks } from '../../charts/points.ts';
import { blocks } from '../../charts/series.ts';
import { Time } from '../../parts/Time.tsx';
import { count } from '../../words/figures.ts';
import { membersOf } from './times.ts';

const WINDOW_MS = 60_000;

interface Props {
  pairs: IncidentPair[];
  bounds: Bounds;
  during: Bounds;
  /** Whether the incident has more pairs than these. */
  isPart: boolean;
}

export function MembersChart({ pairs, bounds, during, isPart }: Props) {
  const { start, point_ms, counts } = membersOf(pairs, during, WINDOW_MS);
  const nothing = counts.map(() => 0);
  const hurt = counts.map((value) => value || null);
  return (
    <Chart
      title={`Pairs that had it${isPart ? `, of the first ${count(pairs.length)}` : ''}`}
      height={130}
      bounds={bounds}
      during={during}
      start={start}
      point_ms={point_ms}
      value={count}
      whole
      gap="before or after it"
      series={[blocks(bandBlocks(start, point_ms, nothing, hurt), palette.value.token('bad'), 1, 1)]}
      readings={(index) => [{ name: 'pairs', value: count(counts[index]), token: 'bad' }]}
      table={() => ({
        head: ['From', 'Pairs'],
        rows: start.map((from, index) => [<Time key={from} at={from} />, count(counts[index])]),
      })}
    />
  );
}

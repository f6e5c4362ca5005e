// The diagnosis of each window, in a row.

import type { Bounds } from '../api/client.ts';
import type { Series } from '../api/types.ts';
import { Time } from '../parts/Time.tsx';
import { today } from '../state/clock.ts';
import { stateText } from '../words/corrections.ts';
import { weight } from '../words/labels.ts';
import { Chart } from './Chart.tsx';
import { BOTTOM, TOP } from './frame.ts';
import { palette } from './palette.ts';
import { strip } from './series.ts';

const ROW_HEIGHT = 26;

interface Props {
  series: Series;
  bounds: Bounds;
  during?: Bounds;
}

export function StripChart({ series, bounds, during }: Props) {
  const { start, point_ms, labels, severities, is_final, corrected_at } = series;
  const points = start.map((from, index) => ({
    from,
    to: from + point_ms,
    label: labels[index] ?? null,
    weight: weight(severities[index] ?? null),
    corrected: (corrected_at[index] ?? null) !== null,
  }));
  const said = (index: number) => [labels[index] ?? 'not judged', severities[index]].filter(Boolean).join(', ');
  const state = (index: number) => stateText(is_final[index] ?? false, corrected_at[index] ?? null, today.value);
  return (
    <Chart
      title={`Diagnosis${point_ms > series.window_ms ? ' (gravest of each point’s windows)' : ''}`}
      height={TOP + ROW_HEIGHT + BOTTOM}
      bounds={bounds}
      during={during}
      start={start}
      point_ms={point_ms}
      value={null}
      series={[strip(points, palette.value)]}
      readings={(index) => [
        { name: 'label', value: said(index) },
        { name: 'window', value: state(index) },
      ]}
      tools={
        points.some(({ corrected }) => corrected) && (
          <span class="quiet" data-testid="corrected-note">
            a bar at the top: corrected, with measurements that came late
          </span>
        )
      }
      table={() => ({
        head: ['Window', 'Label', 'Severity', 'State'],
        rows: start.map((from, index) => [
          <Time key={from} at={from} />,
          labels[index] ?? 'not judged',
          severities[index] ?? '–',
          state(index),
        ]),
      })}
    />
  );
}

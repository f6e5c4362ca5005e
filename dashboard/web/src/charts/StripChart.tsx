// The diagnosis of each window, in a row.

import type { Bounds } from '../api/client.ts';
import type { Series } from '../api/types.ts';
import { Time } from '../parts/Time.tsx';
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
  const { start, point_ms, labels, severities, is_final } = series;
  const points = start.map((from, index) => ({
    from,
    to: from + point_ms,
    label: labels[index] ?? null,
    weight: weight(severities[index] ?? null),
  }));
  const said = (index: number) => [labels[index] ?? 'not judged', severities[index]].filter(Boolean).join(', ');
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
        { name: 'window', value: is_final[index] ? 'final' : 'may still change' },
      ]}
      table={() => ({
        head: ['Window', 'Label', 'Severity', 'State'],
        rows: start.map((from, index) => [
          <Time key={from} at={from} />,
          labels[index] ?? 'not judged',
          severities[index] ?? '–',
          is_final[index] ? 'final' : 'may still change',
        ]),
      })}
    />
  );
}

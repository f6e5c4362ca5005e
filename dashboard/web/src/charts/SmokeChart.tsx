// The smoke graph: a phase's median with the band up to its 95th percentile, what was usual, and where measurements failed.

import type { Bounds } from '../api/client.ts';
import type { Series } from '../api/types.ts';
import { Tabs } from '../parts/Tabs.tsx';
import { Time } from '../parts/Time.tsx';
import { go } from '../state/navigation.ts';
import { PHASES, type Phase } from '../state/place.ts';
import { failedText, usualText } from '../words/evidence.ts';
import { axisMs, ms } from '../words/figures.ts';
import { Chart, type Reading } from './Chart.tsx';
import { floorOf } from './floor.ts';
import { palette } from './palette.ts';
import { columnsOf, PHASE_NAMES } from './phases.ts';
import { bandBlocks, steps, usualBlocks } from './points.ts';
import { blocks, crosses, DASH, line } from './series.ts';

interface Props {
  series: Series;
  bounds: Bounds;
  during?: Bounds;
  phase: Phase;
  /** Whether it shows this phase only, and offers no other. */
  fixed?: boolean;
}

export function SmokeChart({ series, bounds, during, phase, fixed = false }: Props) {
  const { start, point_ms, count_error } = series;
  const { p50, p95, usual, column } = columnsOf(series, phase);
  const colors = palette.value;
  const failed = start.flatMap((from, index) => ((count_error[index] ?? 0) > 0 ? [{ from, to: from + point_ms }] : []));
  const band = bandBlocks(start, point_ms, p50, p95);
  const usualBand = usual ? usualBlocks(start, point_ms, usual) : [];
  const usualMiddle = usual ? steps(start, point_ms, usual.usual) : [];
  const median = steps(start, point_ms, p50);
  const coarse = point_ms > series.window_ms;

  const readings = (index: number): Reading[] => [
    { name: 'p50', value: ms(p50[index] ?? null), token: 'median', shape: 'line' },
    { name: 'p95', value: ms(p95[index] ?? null), token: 'smoke' },
    ...(usual ? [{ name: 'usually', value: usualText(usual, index, 'ms'), token: 'usual' }] : []),
    {
      name: 'failed',
      value: failedText(series, index),
      token: 'error',
      shape: 'cross' as const,
    },
  ];
  return (
    <Chart
      title={titleOf(phase, coarse)}
      height={230}
      bounds={bounds}
      start={start}
      point_ms={point_ms}
      value={axisMs}
      floor={floorOf([...band, ...usualBand], median)}
      during={during}
      {...(column !== null && { column })}
      series={[
        blocks(usualBand, colors.token('usual'), 0.2, 1),
        line(usualMiddle, colors.token('usual'), 1.2, 2, DASH),
        blocks(band, colors.token('smoke'), 0.62, 2),
        line(median, colors.token('median'), 1.8, 3),
        crosses(failed, colors.token('label-error'), 4),
      ]}
      readings={readings}
      table={() => ({
        head: ['Window', 'p50', 'p95', 'Usually', 'Failed'],
        rows: start.map((from, index) => [
          <Time key={from} at={from} />,
          ms(p50[index] ?? null),
          ms(p95[index] ?? null),
          usual ? usualText(usual, index, 'ms') : '–',
          failedText(series, index),
        ]),
      })}
      tools={
        !fixed && (
          <Tabs
            label="Phase"
            controls="smoke"
            tabs={PHASES.map((key) => ({ key, name: PHASE_NAMES[key] }))}
            chosen={phase}
            choose={(chosen) => go({ phase: chosen }, 'replace')}
          />
        )
      }
    />
  );
}

function titleOf(phase: Phase, coarse: boolean): string {
  const summed = phase === 'total' || phase === 'handshake' ? 'sums of the phases’ medians to 95th percentiles' : null;
  const what = `${PHASE_NAMES[phase]}, ${summed ?? 'median to 95th percentile'}`;
  return coarse ? `${what} (highest of each point’s windows)` : what;
}

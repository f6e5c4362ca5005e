// A pair: how it is, over time, and why.

import { useState } from 'preact/hooks';

import { ask, type Bounds } from '../api/client.ts';
import type { Series } from '../api/types.ts';
import { PhasesChart } from '../charts/PhasesChart.tsx';
import { hurtingPhase } from '../charts/phases.ts';
import { SmokeChart } from '../charts/SmokeChart.tsx';
import { StripChart } from '../charts/StripChart.tsx';
import { ThroughputChart } from '../charts/ThroughputChart.tsx';
import { LabelMark, SeverityMark } from '../parts/Label.tsx';
import { Link } from '../parts/Link.tsx';
import { Name } from '../parts/Name.tsx';
import { Empty, Shown } from '../parts/States.tsx';
import { SinceTime, Time } from '../parts/Time.tsx';
import { useAnswer } from '../state/answer.ts';
import { place } from '../state/navigation.ts';
import { bounds, rangeKey, showsPast } from '../state/present.ts';
import { evidenceText } from '../words/evidence.ts';
import { ScoreLine } from './ScoreLine.tsx';
import { Degraded } from './pair/Degraded.tsx';
import { Measurements } from './pair/Measurements.tsx';

/** As many as a wide screen can tell apart. */
const POINTS = 400;
/** Runs that are listed. */
const RUNS = 100;

export function PairView({ client, target }: { client: string; target: string }) {
  const answer = useAnswer(`series ${rangeKey()}`, (signal) => {
    const range = bounds();
    const asked = [
      ask.series(client, target, range, POINTS, signal),
      ask.runs(client, target, range, RUNS, signal),
    ] as const;
    return Promise.all(asked).then(([series, runs]) => ({ series, runs, range }));
  });
  // Start of the point whose measurements are listed; null is the newest.
  const [chosen, choose] = useState<number | null>(null);
  return (
    <>
      <div class="title">
        <h1 data-testid="pair-title">
          <Link to={{ view: 'client', target: null }}>
            <Name text={client} length={60} />
          </Link>
          {' → '}
          <Link to={{ view: 'target', client: null }}>
            <Name text={target} length={90} />
          </Link>
        </h1>
        {answer.value && <Now series={answer.value.series} />}
      </div>
      <ScoreLine of={{ by: 'pair', client_id: client, target }} what="the pair in this range" />
      <Shown answer={answer} what="the pair">
        {({ series, runs, range }) =>
          series.start.length === 0 ? (
            <Empty>
              <strong>This pair has no measurements in this range.</strong>
              <span>Choose a longer range above, or check that the client still measures this target.</span>
            </Empty>
          ) : (
            <>
              <Charts series={series} bounds={range} />
              <Measurements client={client} target={target} series={series} chosen={chosen} choose={choose} />
              <Degraded series={series} runs={runs} showMeasurements={(at) => show(series, at, choose)} />
            </>
          )
        }
      </Shown>
    </>
  );
}

/** What hurts comes first: its phase, or throughput. */
function Charts({ series, bounds }: { series: Series; bounds: Bounds }) {
  const { phase } = place.value;
  const throughputHurts = phase === null && series.diagnoses[0]?.label === 'throughput-bound';
  const throughput = series.p50.throughput.some((value) => value !== null) && (
    <ThroughputChart key="throughput" series={series} bounds={bounds} />
  );
  return (
    <section class="charts" aria-label="Over time" id="smoke">
      <StripChart series={series} bounds={bounds} />
      {throughputHurts && throughput}
      <SmokeChart series={series} bounds={bounds} phase={phase ?? hurtingPhase(series)} />
      <PhasesChart series={series} bounds={bounds} />
      {!throughputHurts && throughput}
    </section>
  );
}

/** Lists the measurements of the point that has this window, and goes there. */
function show({ start }: Series, window_start_ts: number, choose: (start: number | null) => void): void {
  choose(start.filter((from) => from <= window_start_ts).at(-1) ?? null);
  document.getElementById('measurements')?.scrollIntoView();
}

function Now({ series }: { series: Series }) {
  const last = series.start.length - 1;
  const why = series.diagnoses[0];
  if (last < 0) return null;
  return (
    <p class="now" data-testid="pair-now">
      {showsPast.value && (
        <span class="quiet">
          at <Time at={series.start[last] as number} />
        </span>
      )}
      <LabelMark label={series.labels[last] ?? null} />
      <SeverityMark severity={series.severities[last] ?? null} />
      {why?.window_start_ts === series.start[last] && why && (
        <span>
          {evidenceText(why.label, why.evidence)}
          {why.evidence.since !== null && (
            <>
              ; <SinceTime at={why.evidence.since} />
            </>
          )}
        </span>
      )}
    </p>
  );
}

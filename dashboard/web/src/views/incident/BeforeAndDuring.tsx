// The phase that hurts, at one of the incident's pairs: as it was before, and during the incident.

import { useState } from 'preact/hooks';

import { ask, type Bounds } from '../../api/client.ts';
import type { IncidentPair, Label, Series } from '../../api/types.ts';
import { PhasesChart } from '../../charts/PhasesChart.tsx';
import { SmokeChart } from '../../charts/SmokeChart.tsx';
import { StripChart } from '../../charts/StripChart.tsx';
import { ThroughputChart } from '../../charts/ThroughputChart.tsx';
import { Link } from '../../parts/Link.tsx';
import { Name } from '../../parts/Name.tsx';
import { Shown } from '../../parts/States.tsx';
import { useAnswer } from '../../state/answer.ts';
import { cut, visible } from '../../words/text.ts';
import { typicalOf } from './typical.ts';

/** As many as a wide screen can tell apart. */
const POINTS = 400;
/** Pairs among which one can be chosen. */
const CHOICES = 50;
const LONGEST_NAME = 60;

interface Props {
  label: Label;
  pairs: IncidentPair[];
  bounds: Bounds;
  during: Bounds;
}

export function BeforeAndDuring({ label, pairs, bounds, during }: Props) {
  const choices = typicalOf(pairs).slice(0, CHOICES);
  const [chosen, choose] = useState<string | null>(null);
  const pair = choices.find((pair) => keyOf(pair) === chosen) ?? choices[0];
  const key = pair ? `series ${keyOf(pair)}` : null;
  const answer = useAnswer(key, (signal) => {
    const { client_id, target } = pair as IncidentPair;
    return ask.series(client_id, target, bounds, POINTS, signal).then((series) => ({ series, bounds }));
  });
  if (!pair) return null;
  return (
    <section class="charts" aria-label="Before and during it, at one pair" data-testid="before-and-during">
      <div class="one-pair">
        <label class="field">
          Before and during it, at the pair
          <select value={keyOf(pair)} onChange={(event) => choose(event.currentTarget.value)}>
            {choices.map((choice) => (
              <option key={keyOf(choice)} value={keyOf(choice)}>
                {cut(visible(choice.client_id), LONGEST_NAME)} → {cut(visible(choice.target), LONGEST_NAME)}
              </option>
            ))}
          </select>
        </label>
        <Link to={{ view: 'pair', client: pair.client_id, target: pair.target, range: bounds }}>
          All of <Name text={pair.client_id} length={24} /> → <Name text={pair.target} length={32} brief />
        </Link>
      </div>
      <Shown answer={answer} what="the pair">
        {({ series, bounds }) => <Charts label={label} series={series} bounds={bounds} during={during} />}
      </Shown>
    </section>
  );
}

interface ChartsProps {
  label: Label;
  series: Series;
  bounds: Bounds;
  during: Bounds;
}

/** Of each label what it is about. */
function Charts({ label, ...shown }: ChartsProps) {
  switch (label) {
    case 'dns-bound':
      return <SmokeChart {...shown} phase="dns" fixed />;
    case 'server-bound':
      return <SmokeChart {...shown} phase="ttfb" fixed />;
    case 'handshake-bound':
      return (
        <>
          <SmokeChart {...shown} phase="tcp" fixed />
          <SmokeChart {...shown} phase="tls" fixed />
        </>
      );
    case 'throughput-bound':
      return <ThroughputChart {...shown} />;
    case 'error-bound':
    case 'healthy':
      return (
        <>
          <StripChart {...shown} />
          <PhasesChart {...shown} />
        </>
      );
  }
}

function keyOf({ client_id, target }: IncidentPair): string {
  return JSON.stringify([client_id, target]);
}

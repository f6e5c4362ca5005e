// An incident: what it is, what speaks for it, whom it has hit and when, and what people say of it.

import { ask } from '../api/client.ts';
import type { IncidentDetail, IncidentPair, Items } from '../api/types.ts';
import { IncidentMarks } from '../parts/IncidentMarks.tsx';
import { LabelMark, SeverityMark } from '../parts/Label.tsx';
import { Link } from '../parts/Link.tsx';
import { Sentence } from '../parts/Sentence.tsx';
import { Shown } from '../parts/States.tsx';
import { useAnswer } from '../state/answer.ts';
import { now } from '../state/clock.ts';
import { INCIDENTS_KEPT_MS } from '../state/live.ts';
import { widened } from '../frame/mark.ts';
import { wordsOf } from '../words/labels.ts';
import { BeforeAndDuring } from './incident/BeforeAndDuring.tsx';
import { IncidentFacts } from './incident/IncidentFacts.tsx';
import { MembersChart } from './incident/MembersChart.tsx';
import { Notes } from './incident/Notes.tsx';
import { PairsOfIncident } from './incident/PairsOfIncident.tsx';
import { Revisions } from './incident/Revisions.tsx';
import { around, during } from './incident/times.ts';

/** More are not looked at; the page says so. */
const PAIRS = 1_000;

const SELDOM = { kept_ms: INCIDENTS_KEPT_MS };

export function IncidentView({ id }: { id: string }) {
  const both = (signal: AbortSignal) =>
    Promise.all([ask.incident(id, signal), ask.incidentPairs(id, PAIRS, signal)]).then(([incident, pairs]) => {
      return { incident, pairs };
    });
  const answer = useAnswer(`incident ${id}`, both, SELDOM);
  return (
    <Shown answer={answer} what="the incident">
      {({ incident, pairs }) => <Told incident={incident} pairs={pairs} />}
    </Shown>
  );
}

function Told({ incident, pairs }: { incident: IncidentDetail; pairs: Items<IncidentPair> }) {
  const { label, severity, state, sentence, withdrawn_because } = incident;
  const minute = Math.floor(now.value / 60_000) * 60_000;
  const [shown, inside] = [around(incident, minute), during(incident, minute)];
  return (
    <>
      <div class={`incident-head weighed ${severity}`}>
        <p class="marks">
          <LabelMark label={label} />
          <SeverityMark severity={severity} />
          <IncidentMarks incident={incident} />
        </p>
        <h1 data-testid="incident-title">
          <Sentence text={sentence} />
        </h1>
        {state === 'withdrawn' && (
          <p>
            It should not have been told{withdrawn_because === null ? '.' : ': '}
            {withdrawn_because !== null && <Sentence text={withdrawn_because} />}
          </p>
        )}
        <p class="quiet">
          {label}: {wordsOf(label).meaning}.
        </p>
        <p class="incident-links">
          <Link to={{ view: 'different', inside, measure: null, range: widened(inside), client: null, target: null }}>
            What is different during it
          </Link>
          <Link to={{ view: 'maintenance', incident: incident.id }}>
            {incident.planned ? 'Maintenance windows' : 'Was it planned?'}
          </Link>
        </p>
      </div>
      <IncidentFacts incident={incident} now={now.value} />
      <section class="charts" aria-label="Over time">
        <MembersChart pairs={pairs.items} bounds={shown} during={inside} isPart={pairs.next_cursor !== null} />
        <BeforeAndDuring label={label} pairs={pairs.items} bounds={shown} during={inside} />
      </section>
      <PairsOfIncident pairs={pairs.items} total={incident.pairs} />
      <div class="told">
        <Revisions incident={incident} />
        <Notes key={incident.id} incident={incident} />
      </div>
    </>
  );
}

// The first screen: one sentence, the open incidents, how fresh it is, what was when, the matrix, what hurts.

import { useRef } from 'preact/hooks';

import { ask } from '../api/client.ts';
import { Matrix } from '../matrix/Matrix.tsx';
import { MatrixTable } from '../matrix/MatrixTable.tsx';
import { Empty, Shown } from '../parts/States.tsx';
import { Wide } from '../parts/Wide.tsx';
import { useAnswer } from '../state/answer.ts';
import { INCIDENTS_KEPT_MS, SHARED_ANSWER_MS } from '../state/live.ts';
import { place } from '../state/navigation.ts';
import { bounds, rangeKey } from '../state/present.ts';
import { plural } from '../words/text.ts';
import { Diagnoses } from './fleet/Diagnoses.tsx';
import { Facts } from './fleet/Facts.tsx';
import { ScoreLine } from './ScoreLine.tsx';
import { IncidentTimeline } from './fleet/IncidentTimeline.tsx';
import { MatrixTools } from './fleet/MatrixTools.tsx';
import { isTagDimension } from '../words/tags.ts';
import { OpenIncidents } from './fleet/OpenIncidents.tsx';
import { SentenceLine } from './fleet/SentenceLine.tsx';
import { TimelineChart } from './fleet/TimelineChart.tsx';

/** As many as can be told apart. */
const POINTS = 240;

/** Incidents of the timeline: more than can be looked at. */
const INCIDENTS = 200;

const SHARED = { kept_ms: SHARED_ANSWER_MS };
const SELDOM = { kept_ms: INCIDENTS_KEPT_MS };

export function Fleet() {
  const { isp, label, labelled, only, tables } = place.value;
  const key = `${rangeKey()} ${JSON.stringify(labelled)}`;
  const asked = () => ({ ...bounds(), labelled });
  const by = isTagDimension(place.value.by) ? place.value.by : null;
  const overview = useAnswer(`overview ${by ?? ''} ${key}`, (signal) => ask.overview(asked(), by, signal), SHARED);
  const matrix = useAnswer(`matrix ${key}`, (signal) => ask.matrix(asked(), signal), SHARED);
  // Who is hurt now comes first: to draw a chart takes as long as all else on this screen.
  const comesNext = useRef(false);
  comesNext.current ||= [overview, matrix].every(({ value, error }) => value !== null || error !== null);
  const timeline = useAnswer(
    comesNext.current ? `timeline ${key}` : null,
    (signal) => {
      const range = asked();
      return ask.timeline(range, POINTS, signal).then((timeline) => ({ timeline, range }));
    },
    SHARED,
  );
  const incidents = useAnswer(
    comesNext.current ? `incidents ${key}` : null,
    (signal) => {
      const range = asked();
      return ask.incidents(range, INCIDENTS, signal).then((page) => ({ ...page, range }));
    },
    SELDOM,
  );
  const uncounted = useAnswer(
    comesNext.current ? `uncounted ${rangeKey()}` : null,
    (signal) => ask.uncounted(bounds(), signal),
    SHARED,
  );
  return (
    <>
      <Shown answer={overview} what="the overview">
        {(value) => (
          <>
            <SentenceLine overview={value} matrix={matrix.value} />
            <OpenIncidents incidents={value.incidents} leftOff={value.incidents_left_off} at={bounds().to} />
            <Facts overview={value} uncounted={uncounted.value} from={bounds().from} />
          </>
        )}
      </Shown>
      <div class="score-place">
        {comesNext.current && (
          <ScoreLine
            of={labelled.length === 0 ? { by: 'fleet' } : { by: 'fleet', labelled }}
            what={labelled.length === 0 ? 'all pairs in this range' : 'the pairs with these labels in this range'}
          />
        )}
      </div>
      <div class="timeline incidents-timeline">
        <Shown answer={incidents} what="the list of incidents">
          {({ items, next_cursor, range }) => (
            <IncidentTimeline incidents={items} bounds={range} more={next_cursor !== null} />
          )}
        </Shown>
      </div>
      <div class="timeline">
        <Shown answer={timeline} what="the timeline">
          {({ timeline, range }) => <TimelineChart timeline={timeline} bounds={range} />}
        </Shown>
      </div>
      <section aria-labelledby="matrix-title">
        <div class="section-head">
          <h2 id="matrix-title">Clients × targets</h2>
          <MatrixTools answer={matrix.value} />
        </div>
        <Shown answer={matrix} what="the matrix">
          {(value) =>
            value.clients.length === 0 ? (
              <Empty>
                {labelled.length === 0
                  ? 'No pair has been measured lately; there is nothing to compare.'
                  : 'No pair with these labels has been measured lately; there is nothing to compare.'}
              </Empty>
            ) : (
              <>
                <Matrix answer={value} diagnoses={overview.value?.diagnoses ?? []} filter={{ isp, label, only }} />
                <LeftOff clients={value.clients_left_off} targets={value.targets_left_off} />
                {tables && (
                  <Wide name="Degraded pairs of the matrix">
                    <MatrixTable answer={value} filter={{ isp, label }} />
                  </Wide>
                )}
              </>
            )
          }
        </Shown>
      </section>
      {overview.value && overview.value.pairs.total > 0 && <Diagnoses overview={overview.value} />}
    </>
  );
}

function LeftOff({ clients = 0, targets = 0 }: { clients: number | undefined; targets: number | undefined }) {
  if (clients + targets === 0) return null;
  return (
    <p class="quiet">
      Not shown, since they are hurt least: {plural(clients, 'client')} and {plural(targets, 'target')}.
    </p>
  );
}

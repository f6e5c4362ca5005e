// The first screen: one sentence, how fresh it is, the matrix, what hurts.

import { ask } from '../api/client.ts';
import { Matrix } from '../matrix/Matrix.tsx';
import { MatrixTable } from '../matrix/MatrixTable.tsx';
import { Empty, Shown } from '../parts/States.tsx';
import { Wide } from '../parts/Wide.tsx';
import { useAnswer } from '../state/answer.ts';
import { place } from '../state/navigation.ts';
import { bounds, rangeKey } from '../state/present.ts';
import { Diagnoses } from './fleet/Diagnoses.tsx';
import { Facts } from './fleet/Facts.tsx';
import { MatrixTools } from './fleet/MatrixTools.tsx';
import { SentenceLine } from './fleet/SentenceLine.tsx';
import { TimelineChart } from './fleet/TimelineChart.tsx';

/** As many as can be told apart. */
const POINTS = 240;

export function Fleet() {
  const key = rangeKey();
  const overview = useAnswer(`overview ${key}`, (signal) => ask.overview(bounds(), signal));
  const matrix = useAnswer(`matrix ${key}`, (signal) => ask.matrix(bounds(), signal));
  const timeline = useAnswer(`timeline ${key}`, (signal) => {
    const range = bounds();
    return ask.timeline(range, POINTS, signal).then((timeline) => ({ timeline, range }));
  });
  const { isp, label, only, tables } = place.value;

  return (
    <>
      <Shown answer={overview} what="the overview">
        {(value) => (
          <>
            <SentenceLine overview={value} />
            <Facts overview={value} />
          </>
        )}
      </Shown>
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
              <Empty>No pair has been measured lately; there is nothing to compare.</Empty>
            ) : (
              <>
                <Matrix answer={value} diagnoses={overview.value?.diagnoses ?? []} filter={{ isp, label, only }} />
                <LeftOff clients={value.clients_left_off} targets={value.targets_left_off} />
                {tables && (
                  <Wide label="Degraded pairs of the matrix">
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
      Not shown: {clients.toLocaleString('en')} clients and {targets.toLocaleString('en')} targets that are hurt least.
    </p>
  );
}

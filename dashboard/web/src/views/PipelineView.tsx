// The pipeline: whether it works, how fast it is, what waits, what is not counted, what was counted late, and what could not be read.

import { ask } from '../api/client.ts';
import { Shown } from '../parts/States.tsx';
import { useAnswer } from '../state/answer.ts';
import { bounds, rangeKey } from '../state/present.ts';
import { CorrectionList } from './pipeline/CorrectionList.tsx';
import { DeadLetterList } from './pipeline/DeadLetterList.tsx';
import { Ledger } from './pipeline/Ledger.tsx';
import { Partitions } from './pipeline/Partitions.tsx';
import { States } from './pipeline/States.tsx';
import { Throughput } from './pipeline/Throughput.tsx';
import { UncountedList } from './pipeline/UncountedList.tsx';

/** Also without commits: that none come is what one wants to see here. */
const EVERY_MS = 1_000;
/** What comes late is gathered for some seconds before it is counted. */
const CORRECTIONS_EVERY_MS = 5_000;

export function PipelineView() {
  const answer = useAnswer('pipeline', (signal) => ask.pipeline(signal), { every_ms: EVERY_MS });
  const uncounted = useAnswer(
    `uncounted ${rangeKey()}`,
    (signal) => {
      const range = bounds();
      return ask.uncounted(range, signal).then((uncounted) => ({ uncounted, range }));
    },
    { every_ms: EVERY_MS },
  );
  const corrections = useAnswer(`corrections ${rangeKey()}`, (signal) => ask.corrections(bounds(), signal), {
    every_ms: CORRECTIONS_EVERY_MS,
  });
  return (
    <>
      <h1>Pipeline</h1>
      <Shown answer={answer} what="the pipeline">
        {(pipeline) => (
          <>
            <States pipeline={pipeline} />
            <Throughput pipeline={pipeline} />
            <Ledger events={pipeline.events} />
            <Partitions pipeline={pipeline} />
          </>
        )}
      </Shown>
      <section aria-labelledby="uncounted-title" data-testid="uncounted">
        <div class="section-head">
          <h2 id="uncounted-title">Not counted in this range</h2>
        </div>
        <Shown answer={uncounted} what="what is not counted">
          {({ uncounted, range }) => <UncountedList uncounted={uncounted} bounds={range} />}
        </Shown>
      </section>
      <section aria-labelledby="corrections-title" data-testid="corrections">
        <div class="section-head">
          <h2 id="corrections-title">Corrections in this range</h2>
        </div>
        <Shown answer={corrections} what="what was corrected">
          {(corrections) => <CorrectionList corrections={corrections} />}
        </Shown>
      </section>
      <DeadLetterList />
    </>
  );
}

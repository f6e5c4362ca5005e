// What is different inside a marked region from the rest of the range; where nothing is marked, in the present fault from the hour before.

import type { ComponentChildren } from 'preact';

import { ask, type Bounds } from '../api/client.ts';
import { Name } from '../parts/Name.tsx';
import { Parts } from '../parts/Parts.tsx';
import { Empty, Shown } from '../parts/States.tsx';
import { Time } from '../parts/Time.tsx';
import { useAnswer } from '../state/answer.ts';
import { serverNow } from '../state/clock.ts';
import { SHARED_ANSWER_MS } from '../state/live.ts';
import { go, place } from '../state/navigation.ts';
import { bounds, rangeKey } from '../state/present.ts';
import { differentParts } from '../words/different.ts';
import { matchesText } from '../words/measures.ts';
import { DimensionTable } from './different/DimensionTable.tsx';
import { presentFault } from './different/fault.ts';
import { Measured } from './different/Measured.tsx';
import { Question } from './different/Question.tsx';

export function DifferentView() {
  const { inside, measure } = place.value;
  return (
    <>
      <h1>What is different</h1>
      <Question key={JSON.stringify([inside, measure])} />
      <OnlyOf />
      {inside === null ? <PresentFault /> : <Comparison range={bounds()} inside={inside} key={rangeKey()} />}
    </>
  );
}

/** Where nothing is marked, there may be a fault to ask about. */
function PresentFault() {
  const { client, target } = place.value;
  const answer = useAnswer(
    `fault ${JSON.stringify([client, target])}`,
    (signal) => ask.overviewOf({ client, target }, signal),
    { kept_ms: SHARED_ANSWER_MS },
  );
  return (
    <Shown answer={answer} what="the overview">
      {(overview) => {
        const fault = presentFault(overview, serverNow());
        if (fault === null) return <NothingMarked />;
        return (
          <>
            <p data-testid="present-fault">
              Nothing is marked, so this compares the present fault, since <Time at={fault.inside.from} />, with the
              hour before it.
            </p>
            <Comparison key={fault.inside.from} {...fault} />
          </>
        );
      }}
    </Shown>
  );
}

function NothingMarked() {
  return (
    <Empty>
      <strong>Nothing is degraded now. Mark a region of time to compare it with the rest of the range.</strong>
      <span>
        Drag over any chart of a pair, target or client, or mark with Shift and the arrow keys on it; or enter the
        region above. A rectangle drawn over TTFB, another phase or throughput looks for the windows with its values.
      </span>
    </Empty>
  );
}

function Comparison({ range, inside }: { range: Bounds; inside: Bounds }) {
  const { measure, client, target, inside: marked } = place.value;
  // Where the end of the range goes on with time, the question stays the same.
  const about = JSON.stringify([rangeKey(), marked ?? inside.from, measure, client, target]);
  const answer = useAnswer(about, (signal) =>
    ask.different(marked ? bounds() : range, { inside, measure, client, target }, signal),
  );
  return (
    <>
      <Shown answer={answer} what="the comparison">
        {(value) => (
          <>
            <p class="answer" data-testid="different-sentence">
              <Parts parts={differentParts(value, matchesText(measure))} />
            </p>
            <div class="dimensions">
              {value.dimensions.map((dimension) => (
                <DimensionTable key={dimension.dimension} {...dimension} />
              ))}
            </div>
          </>
        )}
      </Shown>
      <Measured about={about} range={range} inside={inside} />
    </>
  );
}

/** The client or target that the comparison keeps to, to be taken away. */
function OnlyOf() {
  const { client, target } = place.value;
  if (client === null && target === null) return null;
  return (
    <div class="matrix-tools" role="group" aria-label="Only of">
      <span class="quiet">Only of</span>
      {client !== null && (
        <TakeAway take={() => go({ client: null }, 'replace')}>
          client <Name text={client} length={40} />
        </TakeAway>
      )}
      {target !== null && (
        <TakeAway take={() => go({ target: null }, 'replace')}>
          target <Name text={target} length={60} brief />
        </TakeAway>
      )}
    </div>
  );
}

function TakeAway({ take, children }: { take: () => void; children: ComponentChildren }) {
  return (
    <button type="button" class="chip" onClick={take}>
      {children} <span aria-hidden="true">×</span>
      <span class="unseen">: take away</span>
    </button>
  );
}

// What is different inside a marked region from the rest of the range.

import type { ComponentChildren } from 'preact';

import { ask } from '../api/client.ts';
import { Name } from '../parts/Name.tsx';
import { Parts } from '../parts/Parts.tsx';
import { Empty, Shown } from '../parts/States.tsx';
import { useAnswer } from '../state/answer.ts';
import { go, place } from '../state/navigation.ts';
import { bounds, rangeKey } from '../state/present.ts';
import { differentParts } from '../words/different.ts';
import { matchesText } from '../words/measures.ts';
import { DimensionTable } from './different/DimensionTable.tsx';
import { Question } from './different/Question.tsx';

export function DifferentView() {
  const { inside, measure, client, target } = place.value;
  const key = inside ? JSON.stringify([rangeKey(), inside, measure, client, target]) : null;
  const answer = useAnswer(key, (signal) => {
    const marked = { inside: inside ?? bounds(), measure, client, target };
    return ask.different(bounds(), marked, signal);
  });
  return (
    <>
      <h1>What is different</h1>
      <Question key={JSON.stringify([inside, measure])} />
      <OnlyOf />
      {inside === null ? (
        <Empty>
          <strong>Mark a region of time to compare it with the rest of the range.</strong>
          <span>
            Drag over any chart of a pair, target or client, or mark with Shift and the arrow keys on it; or enter the
            region above. A rectangle drawn over TTFB, another phase or throughput looks for the windows with its
            values.
          </span>
        </Empty>
      ) : (
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
      )}
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

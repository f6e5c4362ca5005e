// What single measurements inside the region have that those outside do not, as the log keeps them.

import { ask, type Bounds } from '../../api/client.ts';
import { Parts } from '../../parts/Parts.tsx';
import { Shown } from '../../parts/States.tsx';
import { useAnswer } from '../../state/answer.ts';
import { place } from '../../state/navigation.ts';
import { measuredParts } from '../../words/different.ts';
import { MeasuredTable } from './DimensionTable.tsx';

/** A search of the log costs more than rows do. */
const SEARCH_AGAIN_MS = 10_000;

interface Props {
  /** What is compared, in one text: as long as it is the same, so is the question. */
  about: string;
  range: Bounds;
  inside: Bounds;
}

export function Measured({ about, range, inside }: Props) {
  const { client, target } = place.value;
  const answer = useAnswer(
    `measured ${about}`,
    (signal) => ask.differentMeasurements(range, { inside, client, target }, signal),
    { kept_ms: SEARCH_AGAIN_MS },
  );
  // A server that only reads a store has no measurements, and says so where they are listed.
  if (answer.error?.status === 404) return null;
  return (
    <section class="measured" aria-labelledby="measured-title">
      <h2 id="measured-title">Single measurements</h2>
      <Shown answer={answer} what="the measurements">
        {(value) => (
          <>
            <p class="answer" data-testid="measured-sentence">
              <Parts parts={measuredParts(value)} />
            </p>
            <div class="dimensions">
              {value.dimensions.map((dimension) => (
                <MeasuredTable key={dimension.dimension} of={dimension} all={[value.inside, value.outside]} />
              ))}
            </div>
          </>
        )}
      </Shown>
    </section>
  );
}

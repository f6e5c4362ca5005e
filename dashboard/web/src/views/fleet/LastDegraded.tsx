// While all is well: when it last was not, and what it was.

import { ask } from '../../api/client.ts';
import type { Overview } from '../../api/types.ts';
import { useAnswer } from '../../state/answer.ts';
import { serverNow } from '../../state/clock.ts';
import { bounds, rangeKey } from '../../state/present.ts';
import { lastDegradedParts } from '../../words/sentence.ts';
import { time } from '../../words/times.ts';
import { Parts } from '../../parts/Parts.tsx';

export function LastDegraded() {
  const newest = useAnswer(`newest diagnosis ${rangeKey()}`, (signal) => ask.newestDiagnosis(bounds(), signal));
  const window = newest.value?.items[0]?.window_start_ts ?? null;
  const then = useAnswer(window === null ? null : `overview then ${window}`, (signal) =>
    overviewThen(window ?? 0, signal),
  );
  if (then.value === null || then.value.pairs.degraded === 0) return null;
  const until = (then.value.at ?? 0) + then.value.window_ms;
  return (
    <p class="last-degraded" data-testid="last-degraded">
      <Parts parts={lastDegradedParts(then.value, time(until, serverNow()))} />
    </p>
  );
}

/** The overview as of one window, with the range's length before it, so that it can be said since when. */
function overviewThen(window: number, signal: AbortSignal): Promise<Overview> {
  const { from, to } = bounds();
  const end = window + 1;
  return ask.overview({ from: Math.min(from, end - (to - from)), to: end }, signal);
}

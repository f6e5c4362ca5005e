// The sentence, announced to screen readers when it changes.

import { useMemo } from 'preact/hooks';

import type { Overview } from '../../api/types.ts';
import { Parts } from '../../parts/Parts.tsx';
import { now, serverNow } from '../../state/clock.ts';
import { go } from '../../state/navigation.ts';
import { bounds, showsPast } from '../../state/present.ts';
import { following } from '../../state/range.ts';
import { plainText, sentenceOf } from '../../words/sentence.ts';
import { visible } from '../../words/text.ts';
import { time } from '../../words/times.ts';
import { LastDegraded } from './LastDegraded.tsx';

export function SentenceLine({ overview }: { overview: Overview }) {
  const past = showsPast.value;
  const minute = Math.floor(now.value / 60_000) * 60_000;
  const sentence = useMemo(
    () => sentenceOf(overview, { past, now: minute, time: (at) => time(at, serverNow()) }),
    [overview, past, minute],
  );
  return (
    <section class={`sentence ${sentence.tone}`} aria-label="Summary">
      <h1 data-testid="sentence">
        <span class="mark" aria-hidden="true" />
        <span>
          <Parts parts={sentence.parts} />
        </span>
      </h1>
      {sentence.advice && <p class="advice">{sentence.advice}</p>}
      {past && (
        <p class="advice">
          This is how it was.{' '}
          <button type="button" onClick={() => go({ range: following(bounds()) })}>
            Back to now
          </button>
        </p>
      )}
      {sentence.tone === 'good' && <LastDegraded />}
      <p class="unseen" role="status" aria-live="polite">
        {visible(plainText(sentence))}
      </p>
    </section>
  );
}

// The sentence, with its names as links, and announced to screen readers when it changes.

import { useMemo } from 'preact/hooks';

import type { Overview } from '../../api/types.ts';
import { Link } from '../../parts/Link.tsx';
import { Name } from '../../parts/Name.tsx';
import { serverNow } from '../../state/clock.ts';
import { showsPast } from '../../state/present.ts';
import { plainText, sentenceOf } from '../../words/sentence.ts';
import { visible } from '../../words/text.ts';
import { time } from '../../words/times.ts';

export function SentenceLine({ overview }: { overview: Overview }) {
  const past = showsPast();
  const sentence = useMemo(() => sentenceOf(overview, { past, time: (at) => time(at, serverNow()) }), [overview, past]);
  return (
    <section class={`sentence ${sentence.tone}`} aria-label="Summary">
      <h1 data-testid="sentence">
        <span class="mark" aria-hidden="true" />
        <span>
          {sentence.parts.map((part, index) =>
            typeof part === 'string' ? (
              <bdi key={index}>{visible(part)}</bdi>
            ) : (
              <Link key={index} to={part.place}>
                <Name text={part.name} length={48} brief />
              </Link>
            ),
          )}
        </span>
      </h1>
      {sentence.advice && <p class="advice">{sentence.advice}</p>}
      <p class="unseen" role="status" aria-live="polite">
        {visible(plainText(sentence))}
      </p>
    </section>
  );
}

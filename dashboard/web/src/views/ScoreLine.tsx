// How well something did in the range, from 0 to 100, with the formula on demand.

import { useId } from 'preact/hooks';

import { ask, type Scored } from '../api/client.ts';
import type { Score, Scores } from '../api/types.ts';
import { useAnswer } from '../state/answer.ts';
import { place } from '../state/navigation.ts';
import { bounds, rangeKey } from '../state/present.ts';
import { count, percent } from '../words/figures.ts';
import { outcomeText, scoreText, sharesText } from '../words/score.ts';
import { plural } from '../words/text.ts';

/** A question goes through all rows of its range, and a score changes slowly. */
const RARELY = { kept_ms: 30_000 };
/** Of all pairs together, longer ranges take a store too long. */
const LONGEST_OF_FLEET_MS = 86_400_000;

export function ScoreLine({ of, what }: { of: Scored; what: string }) {
  const { from, to } = bounds();
  const asks = of.by !== 'fleet' || to - from <= LONGEST_OF_FLEET_MS;
  const key = asks ? `score ${JSON.stringify(of)} ${rangeKey()} ${place.value.view}` : null;
  const answer = useAnswer(key, (signal) => ask.score(of, bounds(), signal), RARELY);
  const [score] = answer.value?.items ?? [];
  if (!answer.value || !score || score.score === null) return null;
  return <Told scores={answer.value} score={score} what={what} />;
}

function Told({ scores, score, what }: { scores: Scores; score: Score; what: string }) {
  const id = useId();
  return (
    <div class="score" data-testid="score">
      <span>
        Score of {what} <strong>{scoreText(score.score)}</strong> of 100
      </span>
      <span class="quiet">quality of outcome {scoreText(score.outcome.score)}</span>
      <span class="quiet">{sharesText(score)}</span>
      <button type="button" class="plain more" popovertarget={id}>
        What is this?
      </button>
      <div id={id} popover="auto" class="formula">
        <Formula scores={scores} score={score} />
      </div>
    </div>
  );
}

function Formula({ scores, score }: { scores: Scores; score: Score }) {
  const { measurements, failed, pairs, outcome } = score;
  const { satisfied_ms: T, outcome_terms: terms } = scores;
  return (
    <>
      <h2>Score and availability</h2>
      <p>
        <code>score = 100 · (satisfied + tolerated / 2) / measurements</code>
      </p>
      <p>
        This is Apdex, times 100. A measurement is satisfied if DNS, TCP, TLS and first byte take at most {count(T)} ms
        in all, and tolerated up to {count(4 * T)} ms. What takes longer, or fails, counts nothing.
      </p>
      <p>
        Counted here: {plural(measurements, 'measurement')} of {plural(pairs, 'pair')} in the range, of which{' '}
        {count(failed)} failed. Windows keep the p50 and the p95 of each phase, so half of the successes are judged by
        the sum of the p50, the other half by that of the p95.
      </p>
      <p>
        <code>
          outcome = min(latency, loss), each 100 · (unusable − measured) / (unusable − perfect), from 0 to 100
        </code>
      </p>
      <p>
        This is the Quality of Outcome of an IETF draft, by windows: here {outcomeText(outcome)}. Latency is that of TCP
        handshakes: perfect up to {count(terms.perfect_p50_ms)} ms at the p50 and {count(terms.perfect_p95_ms)} ms at
        the p95, of no use from {count(terms.unusable_p50_ms)} and {count(terms.unusable_p95_ms)} ms on; the worse of
        both counts. Loss is the share of failed measurements: perfect up to {percent(terms.perfect_loss)}, of no use
        from {percent(terms.unusable_loss)} on.
      </p>
      <p>
        The time is available where at least half of the measurements succeeded, and unavailable where more than half
        failed. Time of which nothing is known is unmeasured.
      </p>
    </>
  );
}

// The share of healthy pairs, how fresh all this is, and which events do not count.

import type { Overview } from '../../api/types.ts';
import { now } from '../../state/clock.ts';
import { showsPast } from '../../state/present.ts';
import { count, percent, wholeSeconds } from '../../words/figures.ts';
import { plural } from '../../words/text.ts';
import { Fact } from '../../parts/Fact.tsx';
import { Time } from '../../parts/Time.tsx';

/** Windows without a new row after which the page says that it is old. */
const OLD_WINDOWS = 2;

export function Facts({ overview }: { overview: Overview }) {
  const { pairs, events, freshness, window_ms, at } = overview;
  const judged = pairs.healthy + pairs.degraded;
  const all = judged + pairs.unknown + pairs.unmeasured;
  const newest = freshness.newest_row_updated_at;
  const age = newest === null ? null : Math.max(0, now.value - newest);
  const old = age !== null && age > OLD_WINDOWS * window_ms && !showsPast.value;
  return (
    <dl class="facts" data-testid="facts">
      <div class="share">
        <dt>Healthy pairs</dt>
        <dd class="large" data-testid="healthy-share">
          {judged === 0 ? '–' : percent(pairs.healthy / judged)}
        </dd>
        <dd>
          <span class="share-bar" aria-hidden="true">
            <i class="healthy" style={{ width: part(pairs.healthy, all) }} />
            <i class="degraded" style={{ width: part(pairs.degraded, all) }} />
          </span>
          <small>
            {count(pairs.healthy)} healthy, {count(pairs.degraded)} degraded
            {pairs.unknown > 0 && `, ${count(pairs.unknown)} not judged`}
            {pairs.unmeasured > 0 && `, ${count(pairs.unmeasured)} unmeasured`}
          </small>
        </dd>
      </div>
      <Fact
        name="Newest row"
        value={age === null ? 'none' : age < 1_000 ? 'under 1 s old' : `${wholeSeconds(age)} old`}
        testid="freshness"
        old={old}
      >
        {old ? (
          'Nothing arrives: see “Pipeline” and the probes.'
        ) : at !== null ? (
          <>
            window <Time at={at} />
          </>
        ) : null}
      </Fact>
      <Fact name="Late" value={count(events.late)} testid="late">
        {events.read === 0 ? 'events' : `events, ${percent(events.late / events.read)} of ${count(events.read)}`}
      </Fact>
      <Fact name="Rejected" value={count(events.invalid)} testid="invalid">
        {plural(events.duplicate, 'duplicate')}, {count(events.accepted)} accepted
      </Fact>
      <Fact name="Measured" value={count(pairs.total)}>
        pairs of {plural(overview.clients.total, 'client')} and {plural(overview.targets.total, 'target')}
      </Fact>
    </dl>
  );
}

function part(count: number, of: number): string {
  return `${of === 0 ? 0 : (100 * count) / of}%`;
}

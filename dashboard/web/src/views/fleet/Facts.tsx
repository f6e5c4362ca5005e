// The share of healthy pairs, how fresh all this is, and which events do not count.

import type { Overview, Uncounted } from '../../api/types.ts';
import { now } from '../../state/clock.ts';
import { showsPast } from '../../state/present.ts';
import { count, percent, wholeSeconds } from '../../words/figures.ts';
import { plural, visible, cut } from '../../words/text.ts';
import { kindsText, lastOf, uncountedTotal } from '../../words/uncounted.ts';
import { Fact } from '../../parts/Fact.tsx';
import { Link } from '../../parts/Link.tsx';
import { Time } from '../../parts/Time.tsx';

/** Windows without a new row after which the page says that it is old. */
const OLD_WINDOWS = 2;

interface Props {
  overview: Overview;
  /** Null until it is known. */
  uncounted: Uncounted | null;
  /** Where the range begins. */
  from: number;
}

export function Facts({ overview, uncounted, from }: Props) {
  const { pairs, freshness, window_ms, at } = overview;
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
      <NotCounted overview={overview} uncounted={uncounted} from={from} />
      <Fact name="Measured" value={count(pairs.total)}>
        pairs of {plural(overview.clients.total, 'client')} and {plural(overview.targets.total, 'target')}
      </Fact>
    </dl>
  );
}

/** Events that were sent and are not counted, and why the last of them is not. */
function NotCounted({ overview: { events }, uncounted, from }: Props) {
  if (uncounted === null) {
    return (
      <Fact name="Not counted" value="–">
        late, refused, unreadable
      </Fact>
    );
  }
  if (uncounted.counted_since === null) {
    return (
      <Fact name="Not counted, since the log began" value={count(events.late + events.invalid)} testid="uncounted">
        {count(events.late)} late, {count(events.invalid)} unreadable
      </Fact>
    );
  }
  const total = uncountedTotal(uncounted);
  const last = lastOf(uncounted);
  return (
    <Fact name="Not counted" value={plural(total, 'event')} testid="uncounted" old={total > 0}>
      {last === null ? (
        uncounted.counts_refused ? (
          'none late, refused or unreadable'
        ) : (
          'none late or unreadable'
        )
      ) : (
        <>
          <Link to={{ view: 'pipeline', client: null, target: null }}>{kindsText(uncounted)}</Link>
          {last.client_id !== null && <>, last of {cut(visible(last.client_id), 30)}</>}
        </>
      )}
      {uncounted.counted_since > from && (
        <>
          , since <Time at={uncounted.counted_since} />
        </>
      )}
    </Fact>
  );
}

function part(count: number, of: number): string {
  return `${of === 0 ? 0 : (100 * count) / of}%`;
}

// The pipeline's figures of the present.

import type { Pipeline } from '../../api/types.ts';
import { Fact } from '../../parts/Fact.tsx';
import { plural } from '../../words/text.ts';
import { count, duration, ms, rate } from '../../words/figures.ts';

export function Throughput({ pipeline }: { pipeline: Pipeline }) {
  const { processing_delay: delay, process, processes } = pipeline;
  return (
    <dl class="facts" data-testid="pipeline-facts">
      <Fact name="Events" value={rate(pipeline.events_per_s, '/s')}>
        {rate(pipeline.rows_per_s, 'rows/s')}
      </Fact>
      <Fact name="Processing delay, p95" value={delayText(delay?.p95_ms ?? null)}>
        {delay
          ? `p50 ${delayText(delay.p50_ms)}, p99 ${delayText(delay.p99_ms)}, last minute`
          : 'no commit in the last minute'}
      </Fact>
      <Fact name="Lag" value={pipeline.lag_records === null ? '–' : plural(pipeline.lag_records, 'record')}>
        {pipeline.oldest_waiting_ms === null
          ? 'nothing waits'
          : `the oldest waits ${duration(pipeline.oldest_waiting_ms)}`}
      </Fact>
      <Fact name="Open windows" value={count(pipeline.open_windows)}>
        {pipeline.tracked_pairs === null ? '' : `of ${plural(pipeline.tracked_pairs, 'pair')}`}
        {pipeline.forgotten_pairs ? `, ${count(pipeline.forgotten_pairs)} forgotten` : ''}
      </Fact>
      {pipeline.refused_pair_events ? (
        <Fact name="Refused: no place for the pair" value={plural(pipeline.refused_pair_events, 'event')}>
          a client has more targets than it may have, or all together have (--max-pairs), or the server has more memory
          (--max-memory)
        </Fact>
      ) : null}
      <Fact name="Dead letters" value={count(pipeline.dead_letters)}>
        see below
      </Fact>
      <Fact name="Up for" value={duration(pipeline.uptime_s * 1_000)}>
        netqoe {pipeline.version}
        {processes && processes > 1 ? `, process ${(process ?? 0) + 1} of ${processes}` : ''}
        {pipeline.live_readers === null ? '' : `, ${plural(pipeline.live_readers, 'live reader')}`}
      </Fact>
    </dl>
  );
}

/** Some milliseconds as a rule; after a start, as long as the process was away. */
function delayText(delay_ms: number | null): string {
  return delay_ms !== null && delay_ms >= 10_000 ? duration(delay_ms) : ms(delay_ms);
}

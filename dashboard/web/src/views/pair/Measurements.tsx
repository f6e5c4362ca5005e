// The measurements of one point of the charts, as the log has them: why those failed that failed, and each with its waterfall.

import { useState } from 'preact/hooks';

import { ask, type Bounds } from '../../api/client.ts';
import type { MeasurementItem, Measurements as Answer, Series } from '../../api/types.ts';
import { useFew } from '../../parts/few.ts';
import { Shown } from '../../parts/States.tsx';
import { Time } from '../../parts/Time.tsx';
import { useAnswer } from '../../state/answer.ts';
import { today } from '../../state/clock.ts';
import { count } from '../../words/figures.ts';
import { plural, visible } from '../../words/text.ts';
import { span } from '../../words/times.ts';
import { waterfall } from '../../words/waterfall.ts';
import { Measurement } from './Measurement.tsx';

/** A page of them: those of a window that is measured every second. */
const PAGE = 60;
/** A search of the log costs more than rows do, and new measurements come as often as this at most. */
const SEARCH_AGAIN_MS = 2_000;
/** Those that are shown before more is asked for: new ones must not soon push out what somebody looks at. */
const FEW = 10;

interface Props {
  client: string;
  target: string;
  series: Series;
  /** Start of the point that was chosen; null is the newest. */
  chosen: number | null;
  choose: (start: number | null) => void;
}

export function Measurements({ client, target, series, chosen, choose }: Props) {
  const { start, point_ms } = series;
  const last = start.length - 1;
  const found = chosen === null ? last : start.indexOf(chosen);
  const index = found < 0 ? last : found;
  const from = start[index] as number;
  const bounds = { from, to: from + point_ms };
  return (
    <section aria-labelledby="measurements-title" id="measurements" data-testid="measurements">
      <div class="section-head">
        <h2 id="measurements-title">Measurements</h2>
        <nav class="steps" aria-label="Which window">
          <button type="button" disabled={index <= 0} onClick={() => choose(start[index - 1] as number)}>
            Earlier
          </button>
          <span aria-live="polite">{span(from, bounds.to, today.value)}</span>
          <button type="button" disabled={index >= last} onClick={() => choose(start[index + 1] as number)}>
            Later
          </button>
          <button type="button" disabled={chosen === null} onClick={() => choose(null)}>
            Newest
          </button>
        </nav>
      </div>
      <Listed key={from} client={client} target={target} bounds={bounds} hold={() => choose(from)} />
    </section>
  );
}

interface ListedProps {
  client: string;
  target: string;
  bounds: Bounds;
  /** Stays with this window: what somebody looks at does not go away when the next window begins. */
  hold: () => void;
}

function Listed({ client, target, bounds, hold }: ListedProps) {
  // The cursors of the pages before the one that is shown.
  const [cursors, setCursors] = useState<string[]>([]);
  const cursor = cursors.at(-1) ?? null;
  const key = `measurements ${JSON.stringify([client, target, bounds, cursor])}`;
  const answer = useAnswer(key, (signal) => ask.measurements(client, target, bounds, PAGE, cursor, signal), {
    kept_ms: SEARCH_AGAIN_MS,
  });
  return (
    <Shown answer={answer} what="the measurements">
      {(measurements) => (
        <>
          <Summary measurements={measurements} from={bounds.from} />
          <List items={measurements.items} hold={hold} />
          {(cursors.length > 0 || measurements.next_cursor !== null) && (
            <div class="matrix-tools">
              <button type="button" disabled={cursors.length === 0} onClick={() => setCursors(cursors.slice(0, -1))}>
                Newer measurements
              </button>
              <button
                type="button"
                disabled={measurements.next_cursor === null}
                onClick={() => setCursors([...cursors, measurements.next_cursor as string])}
              >
                Older measurements
              </button>
            </div>
          )}
        </>
      )}
    </Shown>
  );
}

function List({ items, hold }: { items: MeasurementItem[]; hold: () => void }) {
  const { shown, left, showAll } = useFew(items, FEW);
  // One scale for all, so that lines compare.
  const longest = Math.max(...items.map(({ event }) => waterfall(event).total), 0);
  return (
    <>
      <ol class="measurements" role="list">
        {shown.map((item) => (
          <Measurement key={keyOf(item)} item={item} longest={longest} hold={hold} />
        ))}
      </ol>
      {left > 0 && (
        <button type="button" onClick={showAll}>
          Show all {items.length}
        </button>
      )}
    </>
  );
}

/** An event may be in the log twice. */
function keyOf({ event, log_time, outcome }: MeasurementItem): string {
  return `${String((event as Record<string, unknown>)['event_id'])} ${log_time} ${outcome}`;
}

function Summary({ measurements, from }: { measurements: Answer; from: number }) {
  const { items, count_total, count_error, failures, is_whole, kept_since } = measurements;
  if (items.length === 0 && is_whole) {
    return (
      <p class="state">
        {kept_since !== null && kept_since > from ? (
          <span>
            They are gone: the log keeps single measurements since <Time at={kept_since} />. The figures above stay.
          </span>
        ) : (
          'The log has no measurements of this time.'
        )}
      </p>
    );
  }
  return (
    <div class="reasons" data-testid="reasons">
      <p>
        {count_error === 0
          ? `${plural(count_total, 'measurement')}, none failed`
          : `${count(count_error)} of ${plural(count_total, 'measurement')} failed`}
        {!is_whole && <span class="quiet"> among the newest of this time</span>}
        {failures.length > 0 && ':'}
      </p>
      {failures.length > 0 && (
        <ul role="list">
          {failures.map(({ stage, reason, count: times }) => (
            <li key={`${stage} ${reason}`}>
              <strong>
                {count(times)} × {visible(reason)}
              </strong>
              {stage !== null && <span class="quiet"> at {stage.toUpperCase()}</span>}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

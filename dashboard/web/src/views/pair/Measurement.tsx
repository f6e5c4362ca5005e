// One measurement: a line, which opens to its waterfall and all that the probe has seen.

import type { MeasurementItem } from '../../api/types.ts';
import { serverNow, today } from '../../state/clock.ts';
import { ms } from '../../words/figures.ts';
import { number, object, type Json } from '../../words/json.ts';
import { facts } from '../../words/measurement.ts';
import { visible } from '../../words/text.ts';
import { fullTime, time } from '../../words/times.ts';
import { waterfall, type Bar, type Waterfall } from '../../words/waterfall.ts';

interface Props {
  item: MeasurementItem;
  /** How long the longest of the list took, ms. */
  longest: number;
  /** Called when it is opened. */
  hold: () => void;
}

/** What a row counts, and what it does not. */
const NOT_COUNTED = {
  accepted: null,
  duplicate: 'a copy, not counted',
  late: 'came late, and is not counted',
} as const;

export function Measurement({ item, longest, hold }: Props) {
  const event = item.event as Json;
  const shape = waterfall(event);
  const at = number(event['ts_ms']) ?? item.log_time;
  const status = number(object(event['evidence'])['status']);
  const aside = NOT_COUNTED[item.outcome];
  return (
    <li data-testid="measurement">
      <details onToggle={({ currentTarget }) => currentTarget.open && hold()}>
        <summary>
          <time dateTime={new Date(at).toISOString()}>{seconds(at)}</time>
          <span class={item.failure === null ? 'good' : 'bad'}>
            {item.failure === null ? `ok${status === null ? '' : ` ${status}`}` : visible(item.failure)}
          </span>
          {shape.total > 0 && <span class="figure">{ms(shape.total)}</span>}
          {aside !== null && <span class="quiet">{aside}</span>}
          <Line bars={shape.bars} longest={longest} />
        </summary>
        <div class="measured">
          <Bars shape={shape} />
          <Facts event={event} log_time={item.log_time} />
        </div>
      </details>
    </li>
  );
}

/** `14:02:31` today, with its day on another one. */
function seconds(at: number): string {
  const full = fullTime(at);
  return time(at, today.value).length <= 5 ? full.slice(-8) : full;
}

/** The phases in one line, which the waterfall tells in words. */
function Line({ bars, longest }: { bars: Bar[]; longest: number }) {
  return (
    <span class="phases-line" aria-hidden="true">
      {bars.map(({ name, token, from, to, failed }) => (
        <i key={name} class={failed ? 'failed' : token} style={{ width: `${share(to - from, longest)}%` }} />
      ))}
    </span>
  );
}

function Bars({ shape: { bars, total } }: { shape: Waterfall }) {
  if (bars.length === 0) return <p class="quiet">It has no times.</p>;
  return (
    <table class="waterfall" data-testid="waterfall">
      <caption class="unseen">Phases</caption>
      <tbody>
        {bars.map(({ name, token, from, to, failed }) => (
          <tr key={name}>
            <th scope="row">
              {name}
              {failed && <span class="bad"> ✗ failed</span>}
            </th>
            <td class="waterfall-track">
              <i
                class={failed ? 'failed' : token}
                style={{ marginLeft: `${share(from, total)}%`, width: `${share(to - from, total)}%` }}
              />
            </td>
            <td class="figure">{ms(to - from)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function share(part: number, all: number): number {
  return all > 0 ? (100 * part) / all : 0;
}

function Facts({ event, log_time }: { event: Json; log_time: number }) {
  return (
    <dl class="measured-facts">
      {facts(event, serverNow()).map(({ name, value, bad }) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd class={bad ? 'bad' : undefined}>
            <bdi>{value}</bdi>
          </dd>
        </div>
      ))}
      <div>
        <dt>Taken by the log</dt>
        <dd>{fullTime(log_time)}</dd>
      </div>
    </dl>
  );
}

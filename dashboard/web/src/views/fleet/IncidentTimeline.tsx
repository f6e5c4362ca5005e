// Incidents over time, a bar each, coloured by how severe they became; a bar leads to its incident.

import { useId, useRef, useState } from 'preact/hooks';

import type { Bounds } from '../../api/client.ts';
import type { Incident } from '../../api/types.ts';
import { crosshair } from '../../charts/crosshair.ts';
import { DataTable } from '../../charts/DataTable.tsx';
import { LEFT, RIGHT } from '../../charts/frame.ts';
import { Link } from '../../parts/Link.tsx';
import { Sentence } from '../../parts/Sentence.tsx';
import { Time } from '../../parts/Time.tsx';
import { now, serverNow, today } from '../../state/clock.ts';
import { place } from '../../state/navigation.ts';
import { duration } from '../../words/figures.ts';
import { dimensionText, endOf, sizeText } from '../../words/incidents.ts';
import { wordsOf } from '../../words/labels.ts';
import { plural, short, visible } from '../../words/text.ts';
import { span, time } from '../../words/times.ts';
import { lanesOf, type Bar } from './lanes.ts';

/** More would push what is below off the screen; the table has them all. */
const MOST_LANES = 8;
const LANE_HEIGHT = 20;
/** Characters of a sentence in the table. */
const IN_TABLE = 90;
const STEPS: Record<string, (at: number, last: number) => number> = {
  ArrowLeft: (at) => at - 1,
  ArrowRight: (at) => at + 1,
  Home: () => 0,
  End: (_, last) => last,
};

interface Props {
  incidents: Incident[];
  bounds: Bounds;
  /** Whether the range has older ones, too. */
  more: boolean;
}

export function IncidentTimeline({ incidents, bounds, more }: Props) {
  const id = useId();
  const list = useRef<HTMLUListElement>(null);
  const [stop, setStop] = useState<string | null>(null);
  const [pointed, setPointed] = useState<string | null>(null);
  const minute = Math.floor(now.value / 60_000) * 60_000;
  const { bars, lanes, left } = lanesOf(incidents, bounds, minute, MOST_LANES);
  const told = bars.find(({ incident }) => incident.id === pointed)?.incident;
  // One stop for Tab, arrows between the bars: there may be hundreds.
  const stopAt = Math.max(
    0,
    bars.findIndex(({ incident }) => incident.id === stop),
  );
  const press = (event: KeyboardEvent) => {
    const next = bars[STEPS[event.key]?.(stopAt, bars.length - 1) ?? -1];
    if (!next) return;
    event.preventDefault();
    setStop(next.incident.id);
    list.current?.querySelector<HTMLElement>(`[data-incident="${next.incident.id}"] a`)?.focus();
  };
  const point = (event: Event) => {
    const bar = (event.target as Element).closest<HTMLElement>('[data-incident]');
    setPointed(bar?.dataset['incident'] ?? null);
  };
  return (
    <figure class="chart" aria-labelledby={id} data-testid="incident-timeline">
      <figcaption>
        <h2 id={id}>Incidents over time</h2>
        <Link to={{ view: 'maintenance' }} class="hint">
          Maintenance windows
        </Link>
        <p class="readings">
          {told ? (
            <Told incident={told} now={minute} />
          ) : (
            <span class="quiet">{countText(bars.length, left, more)}</span>
          )}
        </p>
      </figcaption>
      <div
        class="lanes"
        style={{ height: `${Math.max(1, lanes) * LANE_HEIGHT}px`, margin: `0 ${RIGHT}px 0 ${LEFT}px` }}
        onPointerMove={(event) => {
          const { left, width } = event.currentTarget.getBoundingClientRect();
          crosshair.value = bounds.from + ((event.clientX - left) / width) * (bounds.to - bounds.from);
          point(event);
        }}
        onPointerLeave={() => {
          crosshair.value = null;
          setPointed(null);
        }}
      >
        <ul ref={list} role="list" aria-label="Incidents over time" onKeyDown={press} onFocusIn={point}>
          {bars.map((bar, index) => (
            <BarItem key={bar.incident.id} bar={bar} isStop={index === stopAt} />
          ))}
        </ul>
        <Crosshair bounds={bounds} />
      </div>
      {place.value.tables && <IncidentTable incidents={incidents} />}
    </figure>
  );
}

function countText(drawn: number, left: number, more: boolean): string {
  if (drawn === 0) return 'no incident in this range';
  const rest = left > 0 ? `; ${plural(left, 'less grave one')} in the table only` : '';
  return `${plural(drawn + left, 'incident')}${more ? ', the newest of this range' : ' in this range'}${rest}`;
}

function Told({ incident, now }: { incident: Incident; now: number }) {
  const { opened, closed, sentence } = incident;
  const end = endOf(incident, now);
  return (
    <>
      <span class="quiet">
        {closed === null ? `since ${time(opened, today.value)}` : span(opened, end, serverNow())},{' '}
        {duration(end - opened)}
      </span>
      <Sentence text={sentence} />
    </>
  );
}

function BarItem({ bar, isStop }: { bar: Bar; isStop: boolean }) {
  const { incident, lane, left, width, goesOn } = bar;
  const { id, label, peak_severity, state, cause } = incident;
  const who = cause.value.map((name) => visible(short(name))).join(' × ') || dimensionText(cause.dimension);
  return (
    <li data-incident={id} style={{ left: `${100 * left}%`, width: `${100 * width}%`, top: `${lane * LANE_HEIGHT}px` }}>
      <Link
        to={{ view: 'incident', incident: id }}
        class={`bar ${peak_severity} ${state}${goesOn ? ' goes-on' : ''}`}
        tabIndex={isStop ? 0 : -1}
      >
        <b aria-hidden="true">{wordsOf(label).letter}</b> <bdi>{who}</bdi>
        <span class="unseen">
          , {label}, {peak_severity}, since {time(incident.opened, today.value)}, {state}
        </span>
      </Link>
    </li>
  );
}

function Crosshair({ bounds: { from, to } }: { bounds: Bounds }) {
  const at = crosshair.value;
  if (at === null || at < from || at > to) return null;
  return <div class="crosshair" style={{ left: `${(100 * (at - from)) / (to - from)}%` }} />;
}

function IncidentTable({ incidents }: { incidents: Incident[] }) {
  return (
    <DataTable
      caption="Incidents over time"
      data={{
        head: ['Incident', 'Since', 'Until', 'Label', 'Worst', 'Who', 'State'],
        rows: incidents.map((incident) => [
          <Link key="link" to={{ view: 'incident', incident: incident.id }}>
            <Sentence text={incident.sentence} length={IN_TABLE} />
          </Link>,
          <Time key="since" at={incident.opened} />,
          incident.closed === null ? '–' : <Time key="until" at={incident.closed} />,
          incident.label,
          incident.peak_severity,
          sizeText(incident),
          incident.state,
        ]),
      }}
    />
  );
}

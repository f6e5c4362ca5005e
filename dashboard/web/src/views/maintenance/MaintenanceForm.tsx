// Plans a maintenance window: for any cause, or for that of an incident.

import { useState } from 'preact/hooks';

import { tell } from '../../api/client.ts';
import type { CauseDimension, Incident } from '../../api/types.ts';
import { Author } from '../../parts/Author.tsx';
import { Link } from '../../parts/Link.tsx';
import { MomentInput } from '../../parts/MomentInput.tsx';
import { by } from '../../state/author.ts';
import { serverNow } from '../../state/clock.ts';
import { momentOf } from '../../state/moment.ts';
import { useSending } from '../../state/sending.ts';
import { CAUSE_DIMENSIONS, dimensionText, endOf, valueNames } from '../../words/incidents.ts';
import { normalisedTarget } from '../../words/target.ts';
import { zone } from '../../words/zones.ts';

/** What is proposed: as long as this, from now on. */
const PROPOSED_MS = 3_600_000;
const MINUTE_MS = 60_000;

export function MaintenanceForm({ incident }: { incident: Incident | null }) {
  const proposed = useState(() => proposedFor(incident))[0];
  const [from, setFrom] = useState(momentOf(proposed.from));
  const [to, setTo] = useState(momentOf(proposed.to));
  const [dimension, setDimension] = useState<CauseDimension>(incident?.cause.dimension ?? 'target');
  const [values, setValues] = useState<string[]>(incident?.cause.value ?? []);
  const [text, setText] = useState('');
  const dimensions = CAUSE_DIMENSIONS.includes(dimension) ? CAUSE_DIMENSIONS : [...CAUSE_DIMENSIONS, dimension];
  const { busy, failure, send } = useSending();
  const names = valueNames(dimension);
  const value = names.map((_, index) => values[index] ?? '');
  const right = from.at !== null && to.at !== null && from.at < to.at;
  const complete = right && value.every((part) => part !== '');
  const submit = (event: Event) => {
    event.preventDefault();
    const [start, end] = [from.at, to.at];
    if (start === null || end === null || !complete) return;
    void send(async () => {
      // What an incident has filled in is the name that its rows have.
      const spelled = value.map((part, index) =>
        names[index] === 'target' && part !== incident?.cause.value[index] ? normalisedTarget(part) : part,
      );
      const cause = { dimension, value: spelled };
      await tell.plan({ from: start, to: end, cause, text: text.trim(), by: by() });
      setText('');
    });
  };
  return (
    <form class="question" onSubmit={submit} aria-label="New maintenance window" data-testid="maintenance-form">
      {incident !== null && (
        <p class="quiet whole">
          For <Link to={{ view: 'incident', incident: incident.id }}>the incident</Link>: its cause and its time are
          filled in.
        </p>
      )}
      <MomentInput name="From" class="field" value={from} set={setFrom} />
      <MomentInput name="To" class="field" value={to} set={setTo} />
      <label class="field">
        What
        <select value={dimension} onChange={(event) => setDimension(event.currentTarget.value as CauseDimension)}>
          {dimensions.map((one) => (
            <option key={one} value={one}>
              {dimensionText(one)}
            </option>
          ))}
        </select>
      </label>
      {names.map((name, index) => (
        <label key={name} class="field">
          {name.charAt(0).toUpperCase() + name.slice(1)}
          <input
            type="text"
            required
            value={values[index] ?? ''}
            onInput={(event) => setValues(Object.assign([...value], { [index]: event.currentTarget.value }))}
          />
        </label>
      ))}
      <label class="field wide">
        Why
        <input type="text" maxLength={500} value={text} onInput={(event) => setText(event.currentTarget.value)} />
      </label>
      <Author />
      <button type="submit" class="primary" disabled={busy || !complete}>
        Plan it
      </button>
      {from.at !== null && <span class="quiet">{zone(from.at)}</span>}
      {!right && <span class="quiet">“From” must be before “To”.</span>}
      <p class="failure whole" role="alert">
        {failure}
      </p>
    </form>
  );
}

/** Of an incident from its beginning, and at least until now; in whole minutes, as the inputs show them. */
function proposedFor(incident: Incident | null): { from: number; to: number } {
  const now = Math.floor(serverNow() / MINUTE_MS) * MINUTE_MS;
  if (incident === null) return { from: now, to: now + PROPOSED_MS };
  const end = endOf(incident, now + PROPOSED_MS);
  return { from: incident.opened, to: Math.max(end, incident.opened + MINUTE_MS) };
}

// An exact range, in the viewer's zone.

import { useState } from 'preact/hooks';

import { serverNow } from '../state/clock.ts';
import { go } from '../state/navigation.ts';
import { bounds } from '../state/present.ts';
import { fromInput, toInput, zone, zoneId } from '../words/times.ts';

export function ExactRange({ close }: { close: () => void }) {
  const shown = bounds();
  const [from, setFrom] = useState(toInput(shown.from));
  const [to, setTo] = useState(toInput(shown.to));
  const [start, end] = [fromInput(from), fromInput(to)];
  const right = start !== null && end !== null && start < end;
  const submit = (event: Event) => {
    event.preventDefault();
    if (start === null || end === null || start >= end) return;
    go({ range: { from: start, to: end }, inside: null, measure: null });
    close();
  };
  return (
    <form class="range-exact" onSubmit={submit} aria-label="Exact range">
      <label>
        From
        <input type="datetime-local" value={from} onInput={(event) => setFrom(event.currentTarget.value)} />
      </label>
      <label>
        To
        <input type="datetime-local" value={to} onInput={(event) => setTo(event.currentTarget.value)} />
      </label>
      <button type="submit" class="primary" disabled={!right}>
        Show
      </button>
      <span class="quiet">
        {zone(serverNow())} ({zoneId()}){!right && ' – “From” must be before “To”.'}
      </span>
    </form>
  );
}

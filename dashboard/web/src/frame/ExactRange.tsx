// An exact range, in the chosen zone.

import { useState } from 'preact/hooks';

import { MomentInput } from '../parts/MomentInput.tsx';
import { serverNow } from '../state/clock.ts';
import { momentError, momentOf } from '../state/moment.ts';
import { go } from '../state/navigation.ts';
import { bounds } from '../state/present.ts';
import { zoneId, zonesOf } from '../words/zones.ts';

export function ExactRange({ close }: { close: () => void }) {
  const shown = bounds();
  const [from, setFrom] = useState(momentOf(shown.from));
  const [to, setTo] = useState(momentOf(shown.to));
  const right = from.at !== null && to.at !== null && from.at < to.at;
  const wrong = momentError(from) ?? momentError(to);
  const zones = zonesOf(from.at ?? serverNow(), to.at ?? serverNow()).join(', then ');
  const submit = (event: Event) => {
    event.preventDefault();
    if (from.at === null || to.at === null || from.at >= to.at) return;
    go({ range: { from: from.at, to: to.at }, inside: null, measure: null });
    close();
  };
  return (
    <form class="range-exact" onSubmit={submit} aria-label="Exact range">
      <MomentInput name="From" value={from} set={setFrom} />
      <MomentInput name="To" value={to} set={setTo} />
      <button type="submit" class="primary" disabled={!right}>
        Show
      </button>
      <span class="quiet">
        {zones} ({zoneId()}){!right && (wrong === null ? ' – “From” must be before “To”.' : ` – ${wrong}.`)}
      </span>
    </form>
  );
}

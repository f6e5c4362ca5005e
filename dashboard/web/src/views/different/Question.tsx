// The region and what is looked for in it, as a form: marking without a pointer.

import { useState } from 'preact/hooks';

import { go, place } from '../../state/navigation.ts';
import { bounds } from '../../state/present.ts';
import { MomentInput } from '../../parts/MomentInput.tsx';
import { momentOf } from '../../state/moment.ts';
import { COLUMNS } from '../../words/measures.ts';

const DEGRADED = 'degraded';
/** Where nothing is marked yet, the end of the range is proposed. */
const PROPOSED_MS = 5 * 60_000;

export function Question() {
  const { inside, measure } = place.value;
  const range = bounds();
  const proposed = inside ?? { from: Math.max(range.from, range.to - PROPOSED_MS), to: range.to };
  const [from, setFrom] = useState(momentOf(proposed.from));
  const [to, setTo] = useState(momentOf(proposed.to));
  const [column, setColumn] = useState(measure?.column ?? DEGRADED);
  const [min, setMin] = useState(textOf(measure?.min));
  const [max, setMax] = useState(textOf(measure?.max));
  const [start, end] = [from.at, to.at];
  const measured = column !== DEGRADED;
  const rightTimes = start !== null && end !== null && start < end && start < range.to && end > range.from;
  const [least, greatest] = [valueOf(min), valueOf(max)];
  const bounded = least !== null || greatest !== null;
  const rightValues = !measured || (bounded && (least ?? -Infinity) <= (greatest ?? Infinity));
  const unit = COLUMNS.find((known) => known.column === column)?.unit;
  const submit = (event: Event) => {
    event.preventDefault();
    if (start === null || end === null || !rightTimes || !rightValues) return;
    const asked = measured ? { column, min: least, max: greatest } : null;
    go({ inside: { from: start, to: end }, measure: asked });
  };
  return (
    <form class="question" onSubmit={submit} aria-label="Region and question">
      <MomentInput name="Region from" class="field" value={from} set={setFrom} />
      <MomentInput name="to" class="field" value={to} set={setTo} />
      <label class="field">
        Windows that
        <select value={column} onChange={(event) => setColumn(event.currentTarget.value)}>
          <option value={DEGRADED}>are degraded</option>
          {COLUMNS.map(({ column, name }) => (
            <option key={column} value={column}>
              have {name} from … to …
            </option>
          ))}
        </select>
      </label>
      {measured && (
        <>
          <Bound name="from" unit={unit} value={min} set={setMin} />
          <Bound name="to" unit={unit} value={max} set={setMax} />
        </>
      )}
      <button type="submit" class="primary" disabled={!rightTimes || !rightValues}>
        Compare
      </button>
      {!rightTimes && <span class="quiet">The region must lie in the range above, and “from” before “to”.</span>}
      {!rightValues && (
        <span class="quiet">
          {bounded ? 'The values must not end below where they begin.' : 'Give the values an end, or both.'}
        </span>
      )}
    </form>
  );
}

/** An end that is open has no text. */
function textOf(bound: number | null | undefined): string {
  return bound === null || bound === undefined ? '' : String(bound);
}

function valueOf(text: string): number | null {
  return text === '' ? null : Number(text);
}

/** One end of the values that are looked for. */
function Bound(props: { name: string; unit: string | undefined; value: string; set: (value: string) => void }) {
  const { name, unit, value, set } = props;
  return (
    <label class="field">
      {name} {unit && `(${unit})`}
      <input
        type="number"
        min="0"
        step="any"
        placeholder="any"
        value={value}
        onInput={(event) => set(event.currentTarget.value)}
      />
    </label>
  );
}

// A date and time in the chosen zone; with a choice of zone where the clocks show it twice.

import { useEffect } from 'preact/hooks';

import { choicesOf, momentOf, typed, type Moment } from '../state/moment.ts';
import { zoneChoice } from '../state/zone.ts';

export function MomentInput(props: { name: string; class?: string; value: Moment; set: (moment: Moment) => void }) {
  const { name, value, set } = props;
  const choices = choicesOf(value.text);
  const zone = zoneChoice.value;
  // The moment stays what it is where another zone is chosen; its text does not.
  useEffect(() => {
    if (value.at !== null) set(momentOf(value.at));
  }, [zone]);
  return (
    <>
      <label class={props.class}>
        {name}
        <input
          type="datetime-local"
          value={value.text}
          onInput={(event) => set(typed(event.currentTarget.value, value))}
        />
      </label>
      {choices.length > 1 && (
        <label class={props.class}>
          <span class="unseen">{`${name}: zone`}</span>
          <select
            value={String(value.at)}
            onChange={(event) => set({ text: value.text, at: Number(event.currentTarget.value) })}
          >
            {choices.map(({ at, zone }) => (
              // What is shown in minutes may be a moment with seconds.
              <option key={zone} value={String(isSameMinute(at, value.at) ? value.at : at)}>
                {zone}
              </option>
            ))}
          </select>
        </label>
      )}
    </>
  );
}

function isSameMinute(at: number, other: number | null): boolean {
  return other !== null && other >= at && other < at + 60_000;
}

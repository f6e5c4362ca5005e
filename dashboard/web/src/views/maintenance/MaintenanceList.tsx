// The maintenance windows there are.

import { useState } from 'preact/hooks';

import { tell } from '../../api/client.ts';
import type { MaintenanceWindow } from '../../api/types.ts';
import { Name } from '../../parts/Name.tsx';
import { Parts } from '../../parts/Parts.tsx';
import { Time } from '../../parts/Time.tsx';
import { Wide } from '../../parts/Wide.tsx';
import { now } from '../../state/clock.ts';
import { useSending } from '../../state/sending.ts';
import { causeParts, causeText } from '../../words/incidents.ts';
import { visible } from '../../words/text.ts';

export function MaintenanceList({ windows }: { windows: MaintenanceWindow[] }) {
  const { busy, failure, send } = useSending();
  const sorted = [...windows].sort((a, b) => b.from - a.from || b.id - a.id);
  if (sorted.length === 0) return <p class="state">No maintenance is planned, and none was.</p>;
  const cancel = (id: number) => void send(() => tell.cancel(id));
  return (
    <section aria-label="Planned">
      <p class="failure" role="alert">
        {failure}
      </p>
      <Wide name="Maintenance windows">
        <table data-testid="maintenance">
          <thead>
            <tr>
              <th scope="col">When</th>
              <th scope="col">What</th>
              <th scope="col">Why</th>
              <th scope="col">By</th>
              <th scope="col">State</th>
              <th scope="col">
                <span class="unseen">Take away</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {sorted.map((one) => (
              <tr key={one.id}>
                <th scope="row">
                  <Time at={one.from} /> to <Time at={one.to} />
                </th>
                <td>
                  <Parts parts={causeParts(one.cause)} />
                </td>
                <td>
                  <Name text={one.text} length={200} />
                </td>
                <td>
                  <Name text={one.by} length={40} />
                </td>
                <td class="quiet">{stateOf(one, now.value)}</td>
                <td>
                  <TakeAway what={visible(causeText(one.cause))} busy={busy} take={() => cancel(one.id)} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </Wide>
    </section>
  );
}

function stateOf({ from, to }: MaintenanceWindow, now: number): string {
  return now < from ? 'to come' : now < to ? 'goes on' : 'over';
}

/** Asks once more: what is taken away is gone for all. */
function TakeAway({ what, busy, take }: { what: string; busy: boolean; take: () => void }) {
  const [asked, setAsked] = useState(false);
  return (
    <button
      type="button"
      disabled={busy}
      aria-label={`${asked ? 'Really take away' : 'Take away'}: ${what}`}
      onClick={() => (asked ? take() : setAsked(true))}
      onBlur={() => setAsked(false)}
    >
      {asked ? 'Really?' : 'Take away'}
    </button>
  );
}

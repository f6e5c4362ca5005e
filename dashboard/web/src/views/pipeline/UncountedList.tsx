// Events of the range that were sent and are not counted: how many, why, and the last of each kind.

import type { Bounds } from '../../api/client.ts';
import type { Uncounted, UncountedItem } from '../../api/types.ts';
import { Name } from '../../parts/Name.tsx';
import { Time } from '../../parts/Time.tsx';
import { count } from '../../words/figures.ts';
import { lacksTexts, reasonText } from '../../words/uncounted.ts';
import { visible } from '../../words/text.ts';

export function UncountedList({ uncounted, bounds }: { uncounted: Uncounted; bounds: Bounds }) {
  const { items, counted_since } = uncounted;
  if (counted_since === null) return <p class="state">This server takes no events and counts none.</p>;
  return (
    <>
      {items.length === 0 ? (
        <p class="state">
          {uncounted.counts_refused
            ? 'None: every event of this range that was sent is counted.'
            : 'None of those that are known here.'}
        </p>
      ) : (
        <ul class="letters" role="list">
          {items.map((item) => (
            <Reason key={`${item.left_out} ${item.reason}`} item={item} />
          ))}
        </ul>
      )}
      <p class="quiet">
        {counted_since > bounds.from && (
          <>
            Counted since <Time at={counted_since} />, and not since the beginning of the range.{' '}
          </>
        )}
        {lacksTexts(uncounted).join(' ')}
      </p>
    </>
  );
}

function Reason({ item }: { item: UncountedItem }) {
  const { at, client_id, target, message } = item.last;
  return (
    <li data-testid="uncounted-reason">
      <div class="letter-head">
        <strong>
          {count(item.count)} × {reasonText(item)}
        </strong>
      </div>
      <p class="last-of">
        <span class="quiet">
          last <Time at={at} />
        </span>{' '}
        {client_id !== null && <Name text={client_id} length={60} />}
        {target !== null && (
          <>
            {' → '}
            <Name text={target} length={80} brief />
          </>
        )}
        {client_id === null && <span class="quiet">client unknown</span>}: {visible(message)}
      </p>
    </li>
  );
}

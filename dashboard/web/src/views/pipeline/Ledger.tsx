// The conservation of events: what was read is accounted for.

import type { Events } from '../../api/types.ts';
import { count } from '../../words/figures.ts';

export function Ledger({ events }: { events: Events }) {
  const { read, accepted, duplicate, late, invalid } = events;
  const holds = read === accepted + duplicate + late + invalid;
  return (
    <p class="ledger" data-testid="ledger">
      <strong>{count(read)}</strong> read {holds ? '=' : '≠'} <strong>{count(accepted)}</strong> accepted +{' '}
      <strong>{count(duplicate)}</strong> duplicate + <strong>{count(late)}</strong> late +{' '}
      <strong>{count(invalid)}</strong> invalid
      {!holds && <span class="ill"> – this must be equal; report it</span>}
    </p>
  );
}

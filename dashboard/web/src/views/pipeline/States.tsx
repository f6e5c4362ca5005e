// Log, store and pipeline: well or not, in their own words.

import type { Pipeline, State } from '../../api/types.ts';
import { visible } from '../../words/text.ts';

const KINDS: Record<string, string> = { sqlite: 'SQLite', jetstream: 'NATS JetStream', postgres: 'PostgreSQL' };

export function States({ pipeline: { log, store, pipeline } }: { pipeline: Pipeline }) {
  return (
    <ul class="states" role="list" aria-label="State">
      <Item name="Log" kind={KINDS[log.kind] ?? log.kind} state={log} />
      <Item name="Store" kind={KINDS[store.kind] ?? store.kind} state={store} />
      <Item name="Pipeline" kind="timely dataflow" state={pipeline} />
    </ul>
  );
}

function Item({ name, kind, state }: { name: string; kind: string; state: State }) {
  return (
    <li class={state.healthy ? 'well' : 'ill'} data-testid={`state-${name.toLowerCase()}`}>
      <i aria-hidden="true" />
      <strong>{name}</strong> <span class="quiet">{visible(kind)}</span>{' '}
      <span>{state.healthy ? 'works' : 'does not work'}</span>
      {state.message && <span class="message">{visible(state.message)}</span>}
    </li>
  );
}

// Log, store and pipeline: well or not, in their own words.

import type { Pipeline, State } from '../../api/types.ts';
import { visible } from '../../words/text.ts';

const KINDS: Record<string, string> = {
  sqlite: 'SQLite',
  jetstream: 'NATS JetStream',
  postgres: 'PostgreSQL',
  dataflow: 'timely dataflow',
  none: '',
};

export function States({ pipeline: { log, store, pipeline } }: { pipeline: Pipeline }) {
  return (
    <ul class="states" role="list" aria-label="State">
      <Item name="Log" state={log} />
      <Item name="Store" state={store} />
      <Item name="Pipeline" state={pipeline} />
    </ul>
  );
}

/** What a server that only reads a store does not have is neither well nor ill. */
function stateOf({ kind, healthy }: State): { tone: string; says: string } {
  if (kind === 'none') return { tone: '', says: 'none here' };
  return healthy ? { tone: 'well', says: 'works' } : { tone: 'ill', says: 'does not work' };
}

function Item({ name, state }: { name: string; state: State }) {
  const { tone, says } = stateOf(state);
  return (
    <li class={tone} data-testid={`state-${name.toLowerCase()}`}>
      <i aria-hidden="true" />
      <strong>{name}</strong> <span class="quiet">{visible(KINDS[state.kind] ?? state.kind)}</span> <span>{says}</span>
      {state.message && <span class="message">{visible(state.message)}</span>}
    </li>
  );
}

// What could not be read: why, what it was, and a way to try it again.

import { useState } from 'preact/hooks';

import { ask, AskError, tell } from '../../api/client.ts';
import type { DeadLetter } from '../../api/types.ts';
import { Shown } from '../../parts/States.tsx';
import { Time } from '../../parts/Time.tsx';
import { useAnswer } from '../../state/answer.ts';
import { news } from '../../state/live.ts';
import { bytes } from '../../words/figures.ts';
import { visible } from '../../words/text.ts';

export function DeadLetterList() {
  // The cursors of the pages before the one that is shown.
  const [cursors, setCursors] = useState<string[]>([]);
  const cursor = cursors.at(-1) ?? null;
  const answer = useAnswer(`dead letters ${cursor}`, (signal) => ask.deadLetters(cursor, signal));
  const [said, setSaid] = useState('');
  const replay = async (id: string) => {
    setSaid('');
    try {
      await tell.replay(id);
      setSaid('Sent through the log again. If it still can’t be read, it comes back here.');
    } catch (error) {
      const gone = error instanceof AskError && error.status === 404;
      setSaid(
        gone ? 'It is gone: somebody has replayed it already.' : `Not replayed: ${String((error as Error).message)}`,
      );
    }
    news.value += 1;
  };
  return (
    <section aria-labelledby="letters-title" data-testid="dead-letters">
      <div class="section-head">
        <h2 id="letters-title">Dead letters</h2>
        <span role="status">{visible(said)}</span>
      </div>
      <Shown answer={answer} what="the dead letters">
        {({ items, next_cursor, may_replay, how_to_replay }) => (
          <>
            {items.length === 0 && <p class="state">None: everything could be read.</p>}
            {items.length > 0 && !may_replay && how_to_replay && (
              <p>
                To replay them, run <code>{visible(how_to_replay)}</code>
              </p>
            )}
            <ul class="letters" role="list">
              {items.map((letter) => (
                <Letter key={letter.id} letter={letter} replay={may_replay ? () => replay(letter.id) : null} />
              ))}
            </ul>
            <div class="matrix-tools">
              {cursors.length > 0 && (
                <button type="button" onClick={() => setCursors(cursors.slice(0, -1))}>
                  Newer
                </button>
              )}
              {next_cursor !== null && (
                <button type="button" onClick={() => setCursors([...cursors, next_cursor])}>
                  Older
                </button>
              )}
            </div>
          </>
        )}
      </Shown>
    </section>
  );
}

function Letter({ letter, replay }: { letter: DeadLetter; replay: (() => Promise<void>) | null }) {
  const [busy, setBusy] = useState(false);
  const { id, partition, log_time, reason, original, is_cut } = letter;
  const send = () => {
    setBusy(true);
    void replay?.().finally(() => setBusy(false));
  };
  return (
    <li data-testid="dead-letter">
      <div class="letter-head">
        <strong>{visible(reason)}</strong>
        <span class="quiet">
          {log_time !== null && <Time at={log_time} />}
          {partition !== null && `, partition ${partition}`}, {bytes(letter.bytes)}
        </span>
        {replay && (
          <button type="button" disabled={busy} onClick={send} aria-label={`Replay ${visible(id)}`}>
            Replay
          </button>
        )}
      </div>
      <pre tabIndex={0} aria-label="Content">
        {visible(original)}
        {is_cut && <span class="quiet"> … cut; {bytes(letter.bytes)} in all</span>}
      </pre>
    </li>
  );
}

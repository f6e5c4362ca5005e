// What people say of an incident, and a form to say something, or that one has taken it up.

import { useState } from 'preact/hooks';

import { tell } from '../../api/client.ts';
import type { IncidentDetail } from '../../api/types.ts';
import { Author } from '../../parts/Author.tsx';
import { Name } from '../../parts/Name.tsx';
import { Time } from '../../parts/Time.tsx';
import { by } from '../../state/author.ts';
import { useSending } from '../../state/sending.ts';
import { visible } from '../../words/text.ts';

export function Notes({ incident }: { incident: IncidentDetail }) {
  const [text, setText] = useState('');
  const { busy, failure, send } = useSending();
  const say = (acknowledges: boolean) =>
    send(async () => {
      await tell.note(incident.id, { text: text.trim(), by: by(), acknowledges });
      setText('');
    });
  const submit = (event: Event) => {
    event.preventDefault();
    void say(false);
  };
  return (
    <section aria-labelledby="notes-title">
      <h2 id="notes-title">Notes</h2>
      {incident.notes.length === 0 ? (
        <p class="quiet">Nobody has written anything yet.</p>
      ) : (
        <ol class="log" role="list" data-testid="notes">
          {incident.notes.map(({ id, at, by: writer, text, acknowledges }) => (
            <li key={id}>
              <Time at={at} />
              <span>
                <strong>
                  <Name text={writer} length={40} />
                </strong>{' '}
                {acknowledges && <span class="badge">acknowledged</span>} <bdi class="note">{visibleLines(text)}</bdi>
              </span>
            </li>
          ))}
        </ol>
      )}
      <form class="note-form" onSubmit={submit} aria-label="Write">
        <label class="field">
          Note
          <textarea rows={2} maxLength={2000} value={text} onInput={(event) => setText(event.currentTarget.value)} />
        </label>
        <Author />
        <div class="matrix-tools">
          <button type="submit" class="primary" disabled={busy || text.trim() === ''}>
            Add note
          </button>
          {incident.acknowledged === null && (
            <button type="button" disabled={busy} onClick={() => void say(true)}>
              Acknowledge
            </button>
          )}
        </div>
        <p class="failure" role="alert">
          {failure}
        </p>
      </form>
    </section>
  );
}

/** A note may have lines; whatever else can't be seen is shown as a sign. */
function visibleLines(text: string): string {
  return text.split(/\r?\n/).map(visible).join('\n');
}

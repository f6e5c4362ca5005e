// Finds a client or a target by a part of its name.

import { signal } from '@preact/signals';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';

import { AskError } from '../api/client.ts';
import { Modal } from '../parts/Modal.tsx';
import { Name } from '../parts/Name.tsx';
import { go } from '../state/navigation.ts';
import { allNames, found, type Named } from '../state/names.ts';

export const finderOpen = signal(false);

const SHOWN = 12;

export function Finder() {
  return finderOpen.value ? <FinderDialog /> : null;
}

function FinderDialog() {
  const [names, setNames] = useState<Named[] | null>(null);
  const [error, setError] = useState<string | null>(null);
  const [text, setText] = useState('');
  const [at, setAt] = useState(0);
  const input = useRef<HTMLInputElement>(null);
  useLayoutEffect(() => input.current?.focus(), []);
  useEffect(() => {
    const abort = new AbortController();
    allNames(abort.signal).then(setNames, (reason: unknown) => {
      if (!abort.signal.aborted) setError(reason instanceof AskError ? reason.message : String(reason));
    });
    return () => abort.abort();
  }, []);
  const results = names ? found(names, text, SHOWN) : [];
  const close = () => (finderOpen.value = false);
  const open = (named: Named | undefined) => {
    if (!named) return;
    close();
    if (named.kind === 'client') go({ view: 'client', client: named.name, target: null });
    else go({ view: 'target', target: named.name, client: null });
  };
  const press = (event: KeyboardEvent) => {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (event.key === 'Enter') open(results[at]);
    else if (step !== 0 && results.length > 0) setAt((at + step + results.length) % results.length);
    else return;
    event.preventDefault();
  };
  return (
    <Modal label="Find a client or a target" close={close}>
      <div class="finder">
        <input
          ref={input}
          type="text"
          role="combobox"
          aria-label="Name of a client or a target"
          aria-expanded={results.length > 0}
          aria-controls="finder-results"
          aria-activedescendant={results.length > 0 ? `finder-${at}` : undefined}
          placeholder="Client or target"
          autocomplete="off"
          spellcheck={false}
          value={text}
          onInput={(event) => {
            setText(event.currentTarget.value);
            setAt(0);
          }}
          onKeyDown={press}
        />
        <ul id="finder-results" role="listbox" aria-label="Found">
          {results.map((named, index) => (
            <li
              key={`${named.kind} ${named.name}`}
              id={`finder-${index}`}
              role="option"
              aria-selected={index === at}
              onMouseMove={() => setAt(index)}
              onClick={() => open(named)}
            >
              <span class="quiet">{named.kind}</span> <Name text={named.name} />{' '}
              <span class="quiet">{named.about}</span>
            </li>
          ))}
        </ul>
        <p class="quiet" role="status">
          {error ?? (names === null ? 'Loading the names …' : results.length === 0 ? 'No name has this in it.' : '')}
        </p>
      </div>
    </Modal>
  );
}

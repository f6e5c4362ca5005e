// The head: where one is, the range of time, and the few tools.

import { useState } from 'preact/hooks';

import { Link } from '../parts/Link.tsx';
import { go, place } from '../state/navigation.ts';
import type { View } from '../state/place.ts';
import { bounds } from '../state/present.ts';
import { following, isPreset, PRESETS, shifted } from '../state/range.ts';
import { serverNow } from '../state/clock.ts';
import { mayRead, session, signOut } from '../state/session.ts';
import { choice, choose, type Choice } from '../state/theme.ts';
import { span } from '../words/times.ts';
import { CopyLink } from './CopyLink.tsx';
import { ExactRange } from './ExactRange.tsx';
import { finderOpen } from './Finder.tsx';
import { keysOpen } from './Keys.tsx';

const EXACT = 'exact';
/** Views that show other times than the range. */
const WITHOUT_RANGE: View[] = ['incident', 'maintenance'];

export function Head() {
  const { view } = place.value;
  return (
    <header>
      <div class="head">
        <nav aria-label="Views">
          <span class="brand">netqoe</span>
          <Link to={{ view: 'fleet', client: null, target: null }} current={view === 'fleet'}>
            Fleet
          </Link>
          <Link to={{ view: 'different' }} current={view === 'different'}>
            What is different
          </Link>
          <Link to={{ view: 'pipeline' }} current={view === 'pipeline'}>
            Pipeline
          </Link>
        </nav>
        {mayRead.value && !WITHOUT_RANGE.includes(view) && <RangeChoice />}
        <Tools />
      </div>
    </header>
  );
}

function RangeChoice() {
  const { range } = place.value;
  const [exact, setExact] = useState(false);
  const shown = 'last' in range ? range.last : EXACT;
  const pick = (value: string) => {
    if (isPreset(value)) go({ range: { last: value }, inside: null, measure: null });
    setExact(value === EXACT);
  };
  return (
    <>
      <div class="range" role="group" aria-label="Range of time">
        <button
          type="button"
          aria-label="Earlier"
          title="Earlier"
          onClick={() => go({ range: shifted(bounds(), -0.5) })}
        >
          ‹
        </button>
        <select
          aria-label="Range"
          data-testid="range"
          value={shown}
          onChange={(event) => pick(event.currentTarget.value)}
        >
          {Object.entries(PRESETS).map(([key, { name }]) => (
            <option key={key} value={key}>
              Last {name}
            </option>
          ))}
          <option value={EXACT}>{'last' in range ? 'From … to …' : span(range.from, range.to, serverNow())}</option>
        </select>
        <button
          type="button"
          aria-label="Later"
          title="Later"
          disabled={'last' in range}
          onClick={() => go({ range: shifted(bounds(), 0.5) })}
        >
          ›
        </button>
        {!('last' in range) && (
          <button type="button" title="Follow the present (n)" onClick={() => go({ range: following(range) })}>
            Now
          </button>
        )}
        <button type="button" aria-expanded={exact} onClick={() => setExact(!exact)}>
          From … to …
        </button>
      </div>
      {exact && <ExactRange close={() => setExact(false)} />}
    </>
  );
}

function Tools() {
  const { tables } = place.value;
  return (
    <div class="tools">
      {mayRead.value && (
        <>
          <button type="button" title="Find a client or target ( / )" onClick={() => (finderOpen.value = true)}>
            Find <kbd aria-hidden="true">/</kbd>
          </button>
          <button
            type="button"
            aria-pressed={tables}
            title="Show a table behind each chart, to read, or to save it or the chart"
            onClick={() => go({ tables: !tables }, 'replace')}
          >
            Tables
          </button>
          <CopyLink />
        </>
      )}
      <select
        aria-label="Colour scheme"
        value={choice.value}
        onChange={(event) => choose(event.currentTarget.value as Choice)}
      >
        <option value="system">As system</option>
        <option value="light">Light</option>
        <option value="dark">Dark</option>
      </select>
      <button type="button" aria-label="Keys" title="Keys ( ? )" onClick={() => (keysOpen.value = true)}>
        ?
      </button>
      {session.value?.token_needed && session.value.signed_in && (
        <button type="button" onClick={() => void signOut()}>
          Sign out
        </button>
      )}
    </div>
  );
}

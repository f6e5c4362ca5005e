// Says when the page can't be up to date, how old it then is, and when it does not show what its address asks for.

import { useEffect, useState } from 'preact/hooks';

import { Name } from '../parts/Name.tsx';
import { heardAt, now, serverNow } from '../state/clock.ts';
import { link, urge } from '../state/live.ts';
import { go, notUnderstood } from '../state/navigation.ts';
import { mayRead, pageVersion, session } from '../state/session.ts';
import { wholeSeconds } from '../words/figures.ts';

/** A stream that is back this soon is nobody's business. */
const UNNOTICED_MS = 1_500;
/** After an answer, questions are asked often enough for the next one to come sooner than this. */
const SILENT_MS = 4_000;

export function Banner() {
  return (
    <div role="status" aria-live="polite">
      {mayRead.value && <LostBanner />}
      <NewVersionBanner />
      <AddressBanner />
    </div>
  );
}

function LostBanner() {
  const [lostAt, setLostAt] = useState<number | null>(null);
  const lost = link.value === 'lost';
  useEffect(() => setLostAt(lost ? serverNow() : null), [lost]);
  if (!lost || lostAt === null || now.value - lostAt < UNNOTICED_MS) return null;
  const silent_ms = now.value - heardAt.value;
  return (
    <div class="banner" data-testid="reconnect">
      {heardAt.value < lostAt || silent_ms > SILENT_MS ? (
        <>
          <strong>No connection to netqoe.</strong>
          <span aria-live="off">What you see is {wholeSeconds(silent_ms)} old. Trying again …</span>
        </>
      ) : (
        <>
          <strong>No live updates.</strong>
          <span>netqoe answers, but announces no commits; asking every few seconds.</span>
        </>
      )}
      <button type="button" onClick={() => (urge.value += 1)}>
        Ask now
      </button>
    </div>
  );
}

function AddressBanner() {
  const parts = notUnderstood.value;
  if (parts.length === 0) return null;
  return (
    <div class="banner" data-testid="not-understood">
      <span>
        This address has parts that the page does not know:{' '}
        {parts.map((part, index) => (
          <>
            {index > 0 && ', '}
            <Name text={part} />
          </>
        ))}
        . What you see is without them.
      </span>
      <button type="button" onClick={() => go({}, 'replace')}>
        All right
      </button>
    </div>
  );
}

function NewVersionBanner() {
  const current = session.value?.version;
  if (!current || pageVersion.value === null || pageVersion.value === current) return null;
  return (
    <div class="banner">
      <span>
        netqoe is now version {current}; this page is of {pageVersion.value}.
      </span>
      <button type="button" onClick={() => location.reload()}>
        Load the new page
      </button>
    </div>
  );
}

// What stands where an answer is not there: yet, at all, or for a reason.

import type { ComponentChildren } from 'preact';

import type { AskError } from '../api/client.ts';
import type { Answer } from '../state/answer.ts';
import { now, serverNow } from '../state/clock.ts';
import { urge } from '../state/live.ts';
import { place } from '../state/navigation.ts';
import { boundsOf, shorter } from '../state/range.ts';
import { visible } from '../words/text.ts';
import { Link } from './Link.tsx';

export function Loading({ what }: { what: string }) {
  return (
    <div class="state" role="status">
      Loading {what} …
    </div>
  );
}

/** What the store was stopped at: the server's own words are for programs, which have no range to choose. */
const TOO_SLOW =
  'It took too long to find, and was given up. A shorter range is found sooner; a store that has just been started is slow at first.';

interface FailedProps {
  what: string;
  error: AskError;
  /** When the page asks again by itself. */
  again_at?: number | null;
}

export function Failed({ what, error, again_at = null }: FailedProps) {
  const isTooSlow = error.code === 'too_slow';
  return (
    <div class="state failed" role="alert">
      <strong>{what} can’t be shown.</strong>
      <span>{isTooSlow ? TOO_SLOW : visible(error.message)}</span>
      {isTooSlow && <ShorterRange />}
      {again_at !== null && <Again at={again_at} />}
      <button type="button" onClick={() => (urge.value += 1)}>
        Try again
      </button>
    </div>
  );
}

/** Leads to the same place over less time. */
function ShorterRange() {
  const { range, inside } = place.value;
  const less = shorter(range, serverNow());
  if (less === null) return null;
  const { from, to } = boundsOf(less.range, serverNow());
  const staysMarked = inside !== null && from <= inside.from && inside.to <= to;
  const unmarked = staysMarked ? {} : { inside: null, measure: null };
  return <Link to={{ range: less.range, ...unmarked }}>Show only the last {less.name} of it</Link>;
}

/** Not told each second to who hears it: that it is asked again is in the first words. */
function Again({ at }: { at: number }) {
  const seconds = Math.ceil((at - now.value) / 1_000);
  return (
    <span>
      The page asks again by itself
      <span aria-hidden="true">{seconds > 0 ? ` in ${seconds} s` : ' now'}</span>.
    </span>
  );
}

export function Empty({ children }: { children: ComponentChildren }) {
  return <div class="state">{children}</div>;
}

interface ShownProps<T> {
  answer: Answer<T>;
  /** What it is, as a subject: `the matrix`. */
  what: string;
  children: (value: T) => ComponentChildren;
}

/** The answer where there is one (also an older one: the banner says so), else why not. */
export function Shown<T>({ answer, what, children }: ShownProps<T>) {
  const { value, error, again_at } = answer;
  if (value !== null) {
    const refused = error !== null && error.status >= 400;
    return (
      <>
        {refused && <Failed what={`The newest state of ${what}`} error={error} again_at={again_at} />}
        {children(value)}
      </>
    );
  }
  if (!error) return <Loading what={what} />;
  return <Failed what={what.charAt(0).toUpperCase() + what.slice(1)} error={error} again_at={again_at} />;
}

// What stands where an answer is not there: yet, at all, or for a reason.

import type { ComponentChildren } from 'preact';

import type { AskError } from '../api/client.ts';
import type { Answer } from '../state/answer.ts';
import { now } from '../state/clock.ts';
import { urge } from '../state/live.ts';
import { visible } from '../words/text.ts';

export function Loading({ what }: { what: string }) {
  return (
    <div class="state" role="status">
      Loading {what} …
    </div>
  );
}

interface FailedProps {
  what: string;
  error: AskError;
  /** When the page asks again by itself. */
  again_at?: number | null;
}

export function Failed({ what, error, again_at = null }: FailedProps) {
  return (
    <div class="state failed" role="alert">
      <strong>{what} can’t be shown.</strong>
      <span>{visible(error.message)}</span>
      {again_at !== null && <Again at={again_at} />}
      <button type="button" onClick={() => (urge.value += 1)}>
        Try again
      </button>
    </div>
  );
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

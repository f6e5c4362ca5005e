// What stands where an answer is not there: yet, at all, or for a reason.

import type { ComponentChildren } from 'preact';

import type { AskError } from '../api/client.ts';
import type { Answer } from '../state/answer.ts';
import { news } from '../state/live.ts';
import { visible } from '../words/text.ts';

export function Loading({ what }: { what: string }) {
  return (
    <div class="state" role="status">
      Loading {what} …
    </div>
  );
}

export function Failed({ what, error }: { what: string; error: AskError }) {
  return (
    <div class="state failed" role="alert">
      <strong>{what} can’t be shown.</strong>
      <span>{visible(error.message)}</span>
      <button type="button" onClick={() => (news.value += 1)}>
        Try again
      </button>
    </div>
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
  const { value, error } = answer;
  if (value !== null) {
    const refused = error !== null && error.status >= 400;
    return (
      <>
        {refused && <Failed what={`The newest state of ${what}`} error={error} />}
        {children(value)}
      </>
    );
  }
  return error ? <Failed what={what.charAt(0).toUpperCase() + what.slice(1)} error={error} /> : <Loading what={what} />;
}

// An answer that stays up to date: asked for when a view needs it, and again when there are news.

import { useEffect, useRef, useState } from 'preact/hooks';

import { AskError } from '../api/client.ts';
import { doubt, news } from './live.ts';
import { pacer } from './pacer.ts';
import { signedOut } from './session.ts';

export interface Answer<T> {
  value: T | null;
  /** Why the latest question has no answer; the value is then an older one, if any. */
  error: AskError | null;
}

/** Whoever has just asked waits so long and then for the answer: up to 400 ms for it, what was committed is there within a second. */
const SPACING_MS = 500;

interface How {
  /** Asks as often as this, also without news. */
  every_ms?: number;
  /** Of an answer that viewers share: how long it is kept for them. */
  kept_ms?: number;
}

/** Asks when `key` changes, and whenever there are news; null asks nothing. */
export function useAnswer<T>(
  key: string | null,
  question: (signal: AbortSignal) => Promise<T>,
  { every_ms, kept_ms = 0 }: How = {},
): Answer<T> {
  const [answer, setAnswer] = useState<Answer<T> & { key: string | null }>({ key: null, value: null, error: null });
  const latest = useRef(question);
  latest.current = question;

  useEffect(() => {
    if (key === null) return;
    const abort = new AbortController();
    const pace = { spacing_ms: SPACING_MS, kept_ms };
    const asking = pacer(async () => {
      try {
        const value = await latest.current(abort.signal);
        if (!abort.signal.aborted) setAnswer({ key, value, error: null });
      } catch (error) {
        if (abort.signal.aborted) return;
        if (error instanceof AskError && error.status === 401) signedOut();
        if (error instanceof AskError && error.status === 0) doubt();
        const reason = error instanceof AskError ? error : new AskError(0, String(error));
        setAnswer((old) => ({ key, value: old.key === key ? old.value : null, error: reason }));
      }
    }, pace);
    const wish = () => {
      if (!document.hidden) asking.wish();
    };
    const unsubscribe = news.subscribe(wish);
    const timer = every_ms === undefined ? undefined : setInterval(wish, every_ms);
    return () => {
      abort.abort();
      asking.stop();
      unsubscribe();
      clearInterval(timer);
    };
  }, [key, every_ms, kept_ms]);

  return answer.key === key ? answer : { value: null, error: null };
}

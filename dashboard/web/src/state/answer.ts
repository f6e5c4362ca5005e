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

/** Commits are announced at most 250 ms late and answers take some 50 ms: what was committed is on the page within a second. */
const SPACING_MS = 600;

/** Asks when `key` changes, and whenever there are news; null asks nothing. `every_ms` asks also without news. */
export function useAnswer<T>(
  key: string | null,
  question: (signal: AbortSignal) => Promise<T>,
  every_ms?: number,
): Answer<T> {
  const [answer, setAnswer] = useState<Answer<T> & { key: string | null }>({ key: null, value: null, error: null });
  const latest = useRef(question);
  latest.current = question;

  useEffect(() => {
    if (key === null) return;
    const abort = new AbortController();
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
    }, SPACING_MS);
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
  }, [key, every_ms]);

  return answer.key === key ? answer : { value: null, error: null };
}

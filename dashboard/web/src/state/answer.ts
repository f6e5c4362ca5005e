// An answer that stays up to date: asked for when a view needs it, and again when there are news.

import { useEffect, useRef, useState } from 'preact/hooks';

import { AskError } from '../api/client.ts';
import { serverNow } from './clock.ts';
import { doubt, news, urge } from './live.ts';
import { pacer } from './pacer.ts';
import { isForLater, pauseOf } from './retry.ts';
import { signedOut } from './session.ts';

export interface Answer<T> {
  value: T | null;
  /** Why the latest question has no answer; the value is then an older one, if any. */
  error: AskError | null;
  /** When it is asked again by itself, by the server's clock; null where that waits for news. */
  again_at: number | null;
}

const NONE = { value: null, error: null, again_at: null };

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
  const [answer, setAnswer] = useState<Answer<T> & { key: string | null }>({ key: null, ...NONE });
  const latest = useRef(question);
  latest.current = question;

  useEffect(() => {
    if (key === null) return;
    const abort = new AbortController();
    const pace = { spacing_ms: SPACING_MS, kept_ms };
    let refusals = 0;
    const asking = pacer(async () => {
      // A page that is seen again has news.
      if (document.hidden) return null;
      try {
        const value = await latest.current(abort.signal);
        refusals = 0;
        if (!abort.signal.aborted) setAnswer({ ...NONE, key, value });
        return null;
      } catch (reason) {
        if (abort.signal.aborted) return null;
        refusals += 1;
        const { error, pause_ms } = refusalOf(reason, refusals);
        const again_at = pause_ms === null ? null : serverNow() + pause_ms;
        setAnswer((old) => ({ key, value: old.key === key ? old.value : null, error, again_at }));
        return pause_ms;
      }
    }, pace);
    const wish = () => {
      if (!document.hidden) asking.wish();
    };
    const unsubscribe = [news.subscribe(wish), urge.subscribe(asking.urge)];
    const timer = every_ms === undefined ? undefined : setInterval(wish, every_ms);
    return () => {
      abort.abort();
      asking.stop();
      for (const end of unsubscribe) end();
      clearInterval(timer);
    };
  }, [key, every_ms, kept_ms]);

  return answer.key === key ? answer : NONE;
}

/** Why there is no answer, after so many times in a row, and when to ask again; tells whom it concerns. */
function refusalOf(reason: unknown, refusals: number): { error: AskError; pause_ms: number | null } {
  const error = reason instanceof AskError ? reason : new AskError(0, String(reason));
  if (error.status === 401) signedOut();
  if (error.status === 0) doubt();
  const isLater = isForLater(error.status);
  return { error, pause_ms: isLater ? pauseOf(refusals, error.retry_after_ms, Math.random()) : null };
}

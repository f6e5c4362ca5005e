// How the first sentence is to be taken, and what to do where there is something to do. The sentence itself is the server's.

import type { Overview } from '../api/types.ts';

export type Tone = 'good' | 'bad' | 'unknown';

export interface Telling {
  /** Whether the range ended in the past. */
  past: boolean;
  now: number;
}

/** So many windows without a row, and what the newest ones say is no longer the present. */
const SILENT_WINDOWS = 5;
/** Windows of a pair before it is judged: ten of history, and its own. */
const WINDOWS_TO_JUDGE = 11;

/** Nothing is called well that is not known to be. */
export function toneOf(overview: Overview, telling: Telling): Tone {
  const { sentence, incidents, pairs, unmeasured } = overview;
  if (sentence.severity !== null || incidents.length > 0) return 'bad';
  if (isSilent(overview, telling) || unmeasured.pairs > 0) return 'unknown';
  return pairs.healthy > 0 && pairs.degraded === 0 ? 'good' : 'unknown';
}

export function adviceOf(overview: Overview, telling: Telling): string | null {
  const { at, pairs, window_ms } = overview;
  if (at === null || pairs.total === 0) {
    return telling.past
      ? 'Choose another range, or “Last 1 hour” for the present.'
      : 'Start a probe: netqoe probe --target https://example.com/ --endpoint URL, with the URL of netqoe up or ingest. ' +
          'To see a fleet first, start netqoe up --demo.';
  }
  if (isSilent(overview, telling)) return 'See under “Pipeline” whether events arrive, and whether the probes run.';
  if (pairs.healthy + pairs.degraded === 0) {
    const minutes = Math.round((window_ms * WINDOWS_TO_JUDGE) / 60_000);
    return `A pair is judged once it has ten earlier windows with a success: after about ${minutes} minutes.`;
  }
  return null;
}

function isSilent({ at, window_ms }: Overview, { past, now }: Telling): boolean {
  return !past && at !== null && now - (at + window_ms) > SILENT_WINDOWS * window_ms;
}

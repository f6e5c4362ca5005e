// When to ask again what the server could not answer just now. Pure: who asks brings the random number.

/** A server, or what stands before it, that will answer later. */
const LATER = [429, 502, 503, 504];
/** Where the refusal does not say when. */
const USUAL_MS = 1_000;
/** Pauses grow up to this, unless the server itself wants a longer one. */
const LONGEST_MS = 30_000;
/** Pages that were refused together come back one by one, within this part of the pause. */
const SCATTER = 0.5;

export function isForLater(status: number): boolean {
  return LATER.includes(status);
}

/** The pause after so many refusals in a row: never shorter than the server asks for, twice as long each time. `random` is from 0 to 1. */
export function pauseOf(refusals: number, retry_after_ms: number | null, random: number): number {
  const least = retry_after_ms ?? USUAL_MS;
  const grown = Math.max(least, USUAL_MS) * 2 ** (refusals - 1);
  return Math.max(least, Math.min(LONGEST_MS, grown)) * (1 + SCATTER * random);
}

/** A Retry-After header: seconds, or a date; null where it is neither. */
export function retryAfter(header: string | null, now_ms: number): number | null {
  if (header === null) return null;
  const pause_ms = /^\d+$/.test(header.trim()) ? Number(header) * 1_000 : Date.parse(header) - now_ms;
  return Number.isFinite(pause_ms) ? Math.max(0, pause_ms) : null;
}

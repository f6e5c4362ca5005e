// The server's time as the page knows it, and a clock that ticks for what shows an age.

import { computed, signal } from '@preact/signals';

import { dayNumber, offset_ms } from '../words/zones.ts';

const DAY_MS = 86_400_000;

/** Below this, a difference between two clocks is a matter of the Date header's whole seconds and of the way. */
const TRUSTED_SKEW_MS = 2_000;

let skew_ms = 0;

/** When the server last answered. */
export const heardAt = signal(serverNow());

/** Takes an answer's Date header: an age is counted by the clock that stamped the rows. */
export function noteAnswer(date: string | null): void {
  heardAt.value = Date.now() + skew_ms;
  const server = date === null ? Number.NaN : Date.parse(date);
  if (Number.isNaN(server)) return;
  const skew = server - Date.now();
  skew_ms = Math.abs(skew) > TRUSTED_SKEW_MS ? skew : 0;
}

export function serverNow(): number {
  return Date.now() + skew_ms;
}

/** The server's time, each second. */
export const now = signal(serverNow());

/** A moment of the present day, the same for all of it: what only asks for the day need not be told each second. */
export const today = computed(() => dayNumber(now.value) * DAY_MS + DAY_MS / 2 - offset_ms(now.value));

export function startClock(): void {
  setInterval(() => {
    if (!document.hidden) now.value = serverNow();
  }, 1_000);
}

// A time in the chosen zone; its title says it in full and in UTC.

import { today } from '../state/clock.ts';
import { fullTime, time, utc } from '../words/times.ts';
import { zone } from '../words/zones.ts';

export function Time({ at }: { at: number }) {
  return (
    <time dateTime={new Date(at).toISOString()} title={`${fullTime(at)} ${zone(at)} = ${utc(at)}`}>
      {time(at, today.value)}
    </time>
  );
}

export function SinceTime({ at }: { at: number | null }) {
  if (at === null) return null;
  return (
    <span class="since">
      since <Time at={at} />
    </span>
  );
}

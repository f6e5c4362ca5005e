// What clocks show in the chosen zone, and around a change: an hour that comes twice, one that never comes, and the offsets on either side.

import { zoneChoice, type ZoneChoice } from '../state/zone.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
/** No zone is further from UTC, and no change is found in between twice. */
const AROUND_MS = 26 * 60 * MINUTE_MS;

/** A format in whichever zone is chosen. */
export function zoned(options: Intl.DateTimeFormatOptions): () => Intl.DateTimeFormat {
  const formats: Record<ZoneChoice, Intl.DateTimeFormat> = {
    local: new Intl.DateTimeFormat('en-GB', options),
    utc: new Intl.DateTimeFormat('en-GB', { ...options, timeZone: 'UTC' }),
  };
  return () => formats[zoneChoice.value];
}

const zoneShort = zoned({ timeZoneName: 'short' });

/** The zone as it is at this moment, as `CET`. */
export function zone(at: number): string {
  return (
    zoneShort()
      .formatToParts(at)
      .find(({ type }) => type === 'timeZoneName')?.value ?? 'local time'
  );
}

export function zoneId(): string {
  return zoneShort().resolvedOptions().timeZone;
}

/** The days that have begun since 1970: the same number for two moments of one day. */
export function dayNumber(at: number): number {
  return Math.floor((at + offset_ms(at)) / DAY_MS);
}

export function year(at: number): number {
  return new Date(at + offset_ms(at)).getUTCFullYear();
}

/** How far clocks are ahead of UTC at this moment. */
export function offset_ms(at: number): number {
  return zoneChoice.value === 'utc' ? 0 : -new Date(at).getTimezoneOffset() * MINUTE_MS;
}

/** Whether the clocks showed the same at another moment, or will. */
export function isRepeated(at: number): boolean {
  return moments(at + offset_ms(at)).length > 1;
}

/** The moments at which clocks show this, given as if it were UTC: as a rule one, two in the hour that a change repeats, none in the one that it skips. */
export function moments(shown_ms: number): number[] {
  const offsets = new Set([-AROUND_MS, 0, AROUND_MS].map((by) => offset_ms(shown_ms + by)));
  return [...offsets]
    .map((offset) => shown_ms - offset)
    .filter((at) => at + offset_ms(at) === shown_ms)
    .sort((a, b) => a - b);
}

/** The zones of a range, in their order: two where a change lies in it. */
export function zonesOf(from: number, to: number): string[] {
  return offset_ms(from) === offset_ms(to) ? [zone(to)] : [zone(from), zone(to)];
}

// Times in the chosen zone, with the zone named somewhere near, and in UTC where a title tells more.

import { dayNumber, isRepeated, offset_ms, year, zone, zoned } from './zones.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

const clock = zoned({ hour: '2-digit', minute: '2-digit' });
const clockSeconds = zoned({ hour: '2-digit', minute: '2-digit', second: '2-digit' });
const day = zoned({ day: 'numeric', month: 'short' });
const dayYear = zoned({ day: 'numeric', month: 'short', year: 'numeric' });

/** `14:02` today, `24 Nov 14:02` on another day, with the year in another year; with its zone where the clocks show it twice. */
export function time(at: number, now: number): string {
  return shown(at, now) + (isRepeated(at) ? ` ${zone(at)}` : '');
}

function shown(at: number, now: number): string {
  if (dayNumber(at) === dayNumber(now)) return clock().format(at);
  const date = year(at) === year(now) ? day : dayYear;
  return `${date().format(at)} ${clock().format(at)}`;
}

/** `24 Nov 2026 14:02:31`. */
export function fullTime(at: number): string {
  return `${dayYear().format(at)} ${clockSeconds().format(at)}`;
}

export function utc(at: number): string {
  return `${new Date(at)
    .toISOString()
    .replace('T', ' ')
    .replace(/\.000Z$|Z$/, '')} UTC`;
}

/** `14:02–14:08`, with days where it spans or lies on another one, and with zones where the clocks change between its ends or show one of them twice. */
export function span(from: number, to: number, now: number): string {
  const sameDay = dayNumber(from) === dayNumber(to);
  const [start, end] = [shown(from, now), sameDay ? clock().format(to) : shown(to, now)];
  if (offset_ms(from) !== offset_ms(to)) return `${start} ${zone(from)} – ${end} ${zone(to)}`;
  return `${start}–${end}${isRepeated(from) || isRepeated(to) ? ` ${zone(to)}` : ''}`;
}

/** A label for an axis: days where there are many, and where one begins; with the zone where the clocks show it twice. */
export function axisTime(at: number, length_ms: number): string {
  // Not by the hour: a change may skip midnight, or repeat it.
  const beginsDay = dayNumber(at - MINUTE_MS) !== dayNumber(at);
  if (beginsDay || length_ms > 3 * DAY_MS) return day().format(at);
  return clock().format(at) + (isRepeated(at) ? ` ${zone(at)}` : '');
}

// Times in the viewer's zone, with the zone named somewhere near, and in UTC where a title tells more.

const DAY_MS = 86_400_000;

const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' });
const clockSeconds = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const day = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' });
const dayYear = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric' });
const zoneShort = new Intl.DateTimeFormat('en-GB', { timeZoneName: 'short' });

/** `14:02` today, `24 Nov 14:02` on another day, with the year in another year. */
export function time(at: number, now: number): string {
  const [then, today] = [new Date(at), new Date(now)];
  if (then.toDateString() === today.toDateString()) return clock.format(then);
  const date = then.getFullYear() === today.getFullYear() ? day : dayYear;
  return `${date.format(then)} ${clock.format(then)}`;
}

/** `24 Nov 2026 14:02:31`. */
export function fullTime(at: number): string {
  return `${dayYear.format(at)} ${clockSeconds.format(at)}`;
}

export function utc(at: number): string {
  return `${new Date(at)
    .toISOString()
    .replace('T', ' ')
    .replace(/\.000Z$|Z$/, '')} UTC`;
}

/** `14:02–14:08`, with days where it spans or lies on another one. */
export function span(from: number, to: number, now: number): string {
  const sameDay = new Date(from).toDateString() === new Date(to).toDateString();
  return `${time(from, now)}–${sameDay ? clock.format(to) : time(to, now)}`;
}

/** A label for an axis: days where there are many. */
export function axisTime(at: number, length_ms: number): string {
  const date = new Date(at);
  const midnight = date.getHours() === 0 && date.getMinutes() === 0;
  return midnight || length_ms > 3 * DAY_MS ? day.format(date) : clock.format(date);
}

/** The viewer's zone as it is on this day, as `CET`. */
export function zone(at: number): string {
  return zoneShort.formatToParts(at).find(({ type }) => type === 'timeZoneName')?.value ?? 'local time';
}

export function zoneId(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone;
}

/** For `<input type="datetime-local">`. */
export function toInput(at: number): string {
  const date = new Date(at);
  const two = (value: number) => String(value).padStart(2, '0');
  const ymd = `${String(date.getFullYear()).padStart(4, '0')}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${ymd}T${two(date.getHours())}:${two(date.getMinutes())}`;
}

export function fromInput(text: string): number | null {
  const at = new Date(text).getTime();
  return Number.isNaN(at) ? null : at;
}

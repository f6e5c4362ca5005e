import { afterEach, describe, expect, test, vi } from 'vitest';

const ZONE_BEFORE = process.env['TZ'];
const at = (iso: string) => Date.parse(iso);

/** The modules as a browser in this zone has them: formats take the zone in which they are made. */
async function inZone(name: string) {
  process.env['TZ'] = name;
  vi.resetModules();
  const [times, zones, moment] = [
    await import('../src/words/times.ts'),
    await import('../src/words/zones.ts'),
    await import('../src/state/moment.ts'),
  ];
  return { ...times, ...zones, ...moment };
}

afterEach(() => {
  if (ZONE_BEFORE === undefined) delete process.env['TZ'];
  else process.env['TZ'] = ZONE_BEFORE;
});

/** Zones, the moment at which their clocks go back, and by how much. */
const BACK: [string, string, number][] = [
  ['America/New_York', '2026-11-01T06:00:00Z', 60],
  ['Europe/Berlin', '2026-10-25T01:00:00Z', 60],
  ['Australia/Lord_Howe', '2026-04-04T15:00:00Z', 30],
  ['America/Havana', '2026-11-01T05:00:00Z', 60],
  ['Atlantic/Azores', '2026-10-25T01:00:00Z', 60],
  ['America/Santiago', '2026-04-05T03:00:00Z', 60],
];

describe.each(BACK)('the time that clocks of %s show twice', (zone, iso, by) => {
  const change = at(iso);

  test('what an input was filled with is taken as it was', async () => {
    const { momentOf, typed, choicesOf, isRepeated } = await inZone(zone);
    for (let minute = -2 * by; minute < 2 * by; minute += 5) {
      const then = change + minute * 60_000;
      const filled = momentOf(then);
      expect(typed(filled.text, filled)).toEqual({ text: filled.text, at: then });
      expect(choicesOf(filled.text).map((choice) => choice.at)).toContain(then);
      expect(isRepeated(then)).toBe(minute >= -by && minute < by);
      expect(choicesOf(filled.text)).toHaveLength(isRepeated(then) ? 2 : 1);
    }
  });

  test('no two moments have the same name, and no range runs backwards without its zones', async () => {
    const { time, span, axisTime, offset_ms } = await inZone(zone);
    const around = Array.from({ length: 12 }, (_, index) => change + (index - 6) * (by / 3) * 60_000);
    for (const name of [(then: number) => time(then, change), (then: number) => axisTime(then, 3_600_000)]) {
      expect(new Set(around.map(name)).size).toBe(around.length);
    }
    const ranges = around.slice(1).map((to, index) => span(around[index]!, to, change));
    expect(new Set(ranges).size).toBe(ranges.length);
    const across = span(change - 60_000, change + 60_000, change);
    expect(across.split(' – ')).toHaveLength(2);
    expect(offset_ms(change - 1) - offset_ms(change)).toBe(by * 60_000);
  });
});

test('New York, 1 November 2026', async () => {
  const { time, span, zonesOf, momentOf, typed, choicesOf } = await inZone('America/New_York');
  const [from, to] = [at('2026-11-01T05:40:00Z'), at('2026-11-01T06:20:00Z')];
  expect(span(from, to, to)).toBe('01:40 GMT-4 – 01:20 GMT-5');
  expect(span(at('2026-11-01T06:00:00Z'), to, to)).toBe('01:00–01:20 GMT-5');
  expect(span(at('2026-11-01T04:30:00Z'), at('2026-11-01T08:00:00Z'), to)).toBe('00:30 GMT-4 – 03:00 GMT-5');
  expect(['05:58', '05:59', '06:00', '06:01'].map((utc) => time(at(`2026-11-01T${utc}:00Z`), to))).toEqual([
    '01:58 GMT-4',
    '01:59 GMT-4',
    '01:00 GMT-5',
    '01:01 GMT-5',
  ]);
  expect(time(at('2026-11-01T07:00:00Z'), to)).toBe('02:00');
  expect(zonesOf(from, to)).toEqual(['GMT-4', 'GMT-5']);
  expect(zonesOf(at('2026-07-01T00:00:00Z'), at('2026-07-02T00:00:00Z'))).toEqual(['GMT-4']);

  // Row 1 and 2 of the report: shown, and filled in; a change of the text stays on its side.
  expect(momentOf(to)).toEqual({ text: '2026-11-01T01:20', at: to });
  expect(typed('2026-11-01T01:21', momentOf(to)).at).toBe(to + 60_000);
  expect(typed('2026-11-01T01:41', momentOf(from)).at).toBe(from + 60_000);
  expect(choicesOf('2026-11-01T01:20').map(({ zone }) => zone)).toEqual(['GMT-4', 'GMT-5']);
  // What an input does not show is not lost.
  expect(typed('2026-11-01T01:20', momentOf(to + 30_500)).at).toBe(to + 30_500);
});

test('a time that the clocks skip is said to be none', async () => {
  const { typed, momentOf, momentError, choicesOf, span } = await inZone('America/New_York');
  const before = momentOf(at('2026-03-08T06:30:00Z'));
  const skipped = typed('2026-03-08T02:30', before);
  expect(skipped.at).toBeNull();
  expect(momentError(skipped)).toBe('the clocks skip this time on that day');
  expect(momentError(typed('', before))).toBe('no time is given');
  expect(choicesOf('2026-03-08T03:00')).toEqual([{ at: at('2026-03-08T07:00:00Z'), zone: 'GMT-4' }]);
  const range = span(at('2026-03-08T06:30:00Z'), at('2026-03-08T07:30:00Z'), at('2026-03-08T12:00:00Z'));
  expect(range).toBe('01:30 GMT-5 – 03:30 GMT-4');
});

test('a day begins on the axis also where its midnight is skipped', async () => {
  const { axisTime } = await inZone('America/Havana');
  const first = at('2026-03-08T05:00:00Z');
  expect(axisTime(first, 3_600_000)).toBe('8 Mar');
  expect(axisTime(first - 60_000, 3_600_000)).toBe('23:59');
});

test('without a change nothing is said of zones', async () => {
  const { time, span, axisTime, zonesOf, choicesOf } = await inZone('UTC');
  const then = at('2026-11-01T01:20:00Z');
  expect(time(then, then)).toBe('01:20');
  expect(span(then, then + 1_200_000, then)).toBe('01:20–01:40');
  expect(axisTime(then, 3_600_000)).toBe('01:20');
  expect(zonesOf(then, then + 1)).toEqual(['UTC']);
  expect(choicesOf('2026-11-01T01:20')).toEqual([{ at: then, zone: 'UTC' }]);
});

test('in UTC no time comes twice, and days begin at midnight UTC, wherever the viewer is', async () => {
  const { time, fullTime, span, axisTime, zone, zoneId, zonesOf, offset_ms, isRepeated, momentOf, typed } =
    await inZone('America/New_York');
  const { chooseZone } = await import('../src/state/zone.ts');
  const then = at('2026-11-01T05:30:00Z'); // 01:30 in New York, which comes twice
  expect([time(then, then), isRepeated(then), zone(then)]).toEqual(['01:30 GMT-4', true, 'GMT-4']);
  chooseZone('utc');
  expect([time(then, then), isRepeated(then), zone(then)]).toEqual(['05:30', false, 'UTC']);
  expect([zoneId(), offset_ms(then), zonesOf(then, then + 3_600_000)]).toEqual(['UTC', 0, ['UTC']]);
  expect(fullTime(then)).toBe('1 Nov 2026 05:30:00');
  expect(span(then, then + 3_600_000, then)).toBe('05:30–06:30');
  expect(time(at('2026-10-31T23:59:00Z'), then)).toBe('31 Oct 23:59');
  expect(axisTime(at('2026-11-01T00:00:00Z'), 3_600_000)).toBe('1 Nov');
  const filled = momentOf(then);
  expect(filled.text).toContain('05:30');
  expect(typed('2026-11-01T06:15', filled).at).toBe(at('2026-11-01T06:15:00Z'));
});

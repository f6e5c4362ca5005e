import { describe, expect, test } from 'vitest';

import type { Cause, IncidentPair, IncidentRevision } from '../src/api/types.ts';
import { lanesOf } from '../src/views/fleet/lanes.ts';
import { around, during, membersOf } from '../src/views/incident/times.ts';
import { typicalOf } from '../src/views/incident/typical.ts';
import {
  CAUSE_DIMENSIONS,
  causeParts,
  causeText,
  revisionParts,
  silenceParts,
  sizeText,
  valueNames,
  weightText,
} from '../src/words/incidents.ts';
import { plainText } from '../src/words/parts.ts';
import { incidentOf, MINUTE, OPENED } from './incident.ts';

describe('a cause', () => {
  test.each<[Cause, string]>([
    [{ dimension: 'client', value: ['probe-07'] }, 'client probe-07'],
    [{ dimension: 'isp×target', value: ['Northline', 'https://t-7/'] }, 'provider Northline × target https://t-7/'],
    [{ dimension: 'site×network_type', value: ['Lyon', 'wifi'] }, 'site Lyon × network wifi'],
    [{ dimension: 'everything', value: [] }, 'everything'],
  ])('%j reads %s', (cause, expected) => expect(causeText(cause)).toBe(expected));

  test('of a dimension that the page does not know is named all the same', () => {
    const cause = { dimension: 'planet', value: ['Mars'] } as unknown as Cause;
    expect(causeText(cause)).toBe('planet Mars');
  });

  test('leads to the view of each of its parts that has one', () => {
    expect(causeParts({ dimension: 'isp×target', value: ['Northline', 't'] })).toEqual([
      'provider ',
      { name: 'Northline', place: { view: 'fleet', isp: 'Northline', client: null, target: null } },
      ' × target ',
      { name: 't', place: { view: 'target', target: 't', client: null } },
    ]);
    expect(causeParts({ dimension: 'host', value: ['h'] })).toContainEqual({ name: 'h', place: null });
    expect(causeParts({ dimension: 'client.team', value: ['core'] })).toEqual([
      'client team ',
      { name: 'core', place: { view: 'fleet', labelled: ['client.team=core'], client: null, target: null } },
    ]);
  });

  test('has as many names as its dimension joins', () => {
    for (const dimension of CAUSE_DIMENSIONS) {
      const expected = dimension === 'everything' ? 0 : dimension.split('×').length;
      expect(valueNames(dimension), dimension).toHaveLength(expected);
    }
  });
});

test('evidence is counted of the pairs that the cause holds', () => {
  expect(weightText({ degraded: 12, healthy: 2 })).toBe('12 of 14 pairs');
  expect(weightText({ degraded: 1, healthy: 0 })).toBe('1 of 1 pair');
  expect(sizeText(incidentOf())).toBe('14 pairs of 14 clients and 1 target');
});

test('who is silent is named, and leads to its view', () => {
  const parts = silenceParts({ client_id: 'probe-07', pairs: 20, last: 0 }, '11:08', false);
  expect(plainText(parts)).toBe('probe-07 has not reported since 11:08: 20 pairs');
  const some = silenceParts({ client_id: 'probe-07', pairs: 1, last: 0 }, '11:08', true);
  expect(plainText(some)).toBe('1 target of probe-07 has not been measured since 11:08');
  expect(parts[0]).toEqual({ name: 'probe-07', place: { view: 'client', client: 'probe-07', target: null } });
});

describe('a revision', () => {
  const narrow: Cause = { dimension: 'client', value: ['probe-07'] };
  const wide: Cause = { dimension: 'target', value: ['t'] };
  const revision = (change: IncidentRevision['change'], cause = wide): IncidentRevision => ({
    revision: 1,
    at: OPENED,
    change,
    cause,
    severity: 'major',
    degraded: 12,
    state: 'open',
    because: null,
  });
  const before: IncidentRevision = { ...revision('opened', narrow), severity: 'minor' };

  test.each<[IncidentRevision['change'], string | null, string]>([
    ['opened', null, 'opened: target t, major, 12 pairs'],
    ['cause', null, 'cause amended from client probe-07 to target t'],
    ['severity', null, 'from minor to major'],
    ['absorbed', null, 'another incident turned out to be a part of it; 12 pairs now'],
    ['closed', null, 'closed'],
    ['withdrawn', 'its events were corrected', 'withdrawn: its events were corrected'],
    ['withdrawn', null, 'withdrawn'],
    ['corrected', null, 'corrected: open, target t, major, 12 pairs'],
  ])('of %s (%s) reads %s', (change, withdrawn_because, expected) => {
    expect(plainText(revisionParts(revision(change), before, { withdrawn_because }))).toBe(expected);
  });

  test('says why it was withdrawn or corrected, whatever became of the incident since', () => {
    const said = (change: IncidentRevision['change'], because: string) =>
      plainText(revisionParts({ ...revision(change), because }, before, { withdrawn_because: null }));
    const why = '3 measurements came late.';
    expect(said('withdrawn', why)).toBe(`withdrawn: ${why}`);
    expect(said('corrected', why)).toBe(`corrected: open, target t, major, 12 pairs. ${why}`);
  });

  test('without the one before it says what is known', () => {
    const said = (change: IncidentRevision['change']) =>
      plainText(revisionParts(revision(change), null, { withdrawn_because: null }));
    expect([said('cause'), said('severity')]).toEqual(['cause amended to target t', 'now major']);
  });
});

describe('the timeline', () => {
  const bounds = { from: OPENED, to: OPENED + 100 * MINUTE };
  const now = OPENED + 100 * MINUTE;
  const at = (id: string, opened: number, closed: number | null, change = {}) =>
    incidentOf({
      id,
      opened: OPENED + opened * MINUTE,
      closed: closed === null ? null : OPENED + closed * MINUTE,
      state: closed === null ? 'open' : 'closed',
      ...change,
    });
  const laid = (...incidents: ReturnType<typeof incidentOf>[]) => {
    const { bars, lanes, left } = lanesOf(incidents, bounds, now, 3);
    return { bars: bars.map(({ incident, lane }) => `${incident.id}${lane}`).join(' '), lanes, left };
  };

  test('what does not overlap shares a lane, in the order of time', () => {
    expect(laid(at('b', 50, 60), at('a', 10, 20), at('c', 15, 55))).toEqual({ bars: 'a0 c1 b0', lanes: 2, left: 0 });
  });

  test('the gravest has the first lane, and the least grave none where there are too many', () => {
    const minor = { peak_severity: 'minor' } as const;
    const critical = { peak_severity: 'critical' } as const;
    const found = laid(at('a', 1, 90, minor), at('b', 2, 90), at('c', 3, 90), at('d', 4, 90, critical));
    expect(found).toEqual({ bars: 'b1 c2 d0', lanes: 3, left: 1 });
  });

  test('bars lie within the range, and say whether they go on', () => {
    const { bars } = lanesOf([at('a', -50, 25), at('b', 50, null), at('c', 90, 150)], bounds, now, 9);
    const shown = bars.map(({ left, width, goesOn }) => [left, left + width, goesOn]);
    expect(shown).toEqual([
      [0, 0.25, false],
      [0.5, 1, true],
      [0.9, 1, true],
    ]);
  });

  test('what was over before the range, or began after it, has no bar', () => {
    expect(laid(at('a', -50, -20), at('b', 100, 120))).toEqual({ bars: '', lanes: 0, left: 0 });
  });

  test('the shortest can be seen, and lies over no other', () => {
    const long = lanesOf([at('a', 99, 99.1), at('b', 99.2, 99.4)], bounds, now, 9);
    expect(long.lanes).toBe(2);
    for (const { left, width } of long.bars) {
      expect(width).toBeGreaterThan(0.01);
      expect(left + width).toBeLessThanOrEqual(1);
    }
  });

  test('the order of the answer does not matter', () => {
    const all = Array.from({ length: 40 }, (_, index) => at(`i${index}`, index, index + 7));
    expect(laid(...all)).toEqual(laid(...[...all].reverse()));
  });
});

describe('the time that an incident is shown with', () => {
  const now = OPENED + 40 * MINUTE + 20_000;

  test('begins before it, and ends with the present where it goes on', () => {
    const open = incidentOf();
    expect(during(open, now)).toEqual({ from: OPENED, to: now });
    const { from, to } = around(open, now);
    expect(from).toBe(OPENED - 40 * MINUTE - 20_000);
    expect(to).toBe(OPENED + 41 * MINUTE);
  });

  test('has a quarter of an hour before it at least, and six hours at most', () => {
    const short = incidentOf({ state: 'closed', closed: OPENED + 2 * MINUTE });
    expect(around(short, now)).toEqual({ from: OPENED - 15 * MINUTE, to: OPENED + 17 * MINUTE });
    const long = incidentOf({ state: 'closed', closed: OPENED + 1_000 * MINUTE });
    const later = OPENED + 2_000 * MINUTE;
    expect(around(long, later)).toEqual({ from: OPENED - 360 * MINUTE, to: OPENED + 1_030 * MINUTE });
  });

  test('is never empty, whatever the clocks say', () => {
    expect(during(incidentOf(), OPENED - MINUTE)).toEqual({ from: OPENED, to: OPENED + MINUTE });
  });
});

describe('members over time', () => {
  const pair = (client_id: string, since: number, until: number, severity: IncidentPair['severity'] = 'major') => ({
    client_id,
    target: 't',
    since: OPENED + since * MINUTE,
    until: OPENED + until * MINUTE,
    severity,
  });
  const range = { from: OPENED, to: OPENED + 5 * MINUTE };

  test('each pair counts from its first window to the end of its newest', () => {
    const { start, counts } = membersOf([pair('a', 0, 4), pair('b', 1, 2), pair('c', 2, 2)], range, MINUTE);
    expect(start).toHaveLength(5);
    expect(counts).toEqual([1, 2, 3, 1, 1]);
  });

  test('what lies outside counts where it reaches in', () => {
    const { counts } = membersOf(
      [pair('a', -9, 1), pair('b', 3, 90), pair('c', -9, -5), pair('d', 7, 9)],
      range,
      MINUTE,
    );
    expect(counts).toEqual([1, 1, 0, 1, 1]);
  });

  test('a long one has points of several windows', () => {
    const { start, point_ms, counts } = membersOf(
      [pair('a', 0, 2_999)],
      { from: OPENED, to: OPENED + 3_000 * MINUTE },
      MINUTE,
    );
    expect(start.length).toBeLessThanOrEqual(241);
    expect(point_ms % MINUTE).toBe(0);
    expect(new Set(counts)).toEqual(new Set([1]));
  });

  test('the most telling pair is the gravest that has had it longest', () => {
    const pairs = [
      pair('c', 0, 9),
      pair('b', 3, 5, 'critical'),
      pair('a', 2, 4, 'critical'),
      pair('d', 0, 4, 'critical'),
    ];
    expect(typicalOf(pairs).map(({ client_id }) => client_id)).toEqual(['d', 'a', 'b', 'c']);
  });
});

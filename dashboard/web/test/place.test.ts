import { describe, expect, test } from 'vitest';

import { misread } from '../src/state/misread.ts';
import { above, formatPlace, HOME, parsePlace, type Place } from '../src/state/place.ts';
import { boundsOf, endingAt, following, isPast, shifted, shorter } from '../src/state/range.ts';

describe('a place and its query', () => {
  const places: Partial<Place>[] = [
    {},
    { view: 'pair', client: 'c 1&x=ü', target: 'https://a.net/?q=1#f' },
    { view: 'target', target: '\u202E<b>\u0000' },
    { view: 'client', client: 'c', range: { from: 1_000, to: 2_000 }, sort: 'ttfb' },
    { by: 'isp', isp: '', label: 'dns-bound', only: true, range: { last: '24h' }, tables: true },
    {
      view: 'different',
      inside: { from: 60_000, to: 120_000 },
      measure: { column: 'ttfb_p95', min: 300, max: 900.5 },
      phase: 'dns',
    },
    { view: 'pair', client: 'c', target: 't', measure: { column: 'dns_p95', min: 0, max: null } },
    { by: 'client.team' },
    { labelled: ['client.team=core', 'target.service= a=b&ü', 'client.x='] },
    { view: 'incident', incident: '0123456789abcdef' },
    { view: 'maintenance', incident: '0123456789abcdef' },
    { view: 'maintenance' },
    { view: 'pair', client: 'c', target: 't', measure: { column: 'dns_p95', min: null, max: 12.5 } },
  ];

  test.each(places)('%j comes back as it was', (change) => {
    const place = { ...HOME, ...change };
    expect(parsePlace(formatPlace(place))).toEqual(place);
  });

  test.each(places)('nothing in the query of %j is misread', (change) => {
    expect(misread(formatPlace({ ...HOME, ...change }))).toEqual([]);
  });

  test.each([
    ['?view=nope&range=99x', ['view=nope', 'range=99x']],
    ['?view=pair&client=c', ['view=pair']],
    ['?view=incident&incident=../x', ['view=incident', 'incident=../x']],
    ['?from=2000&to=1000', ['from=2000', 'to=1000']],
    ['?from=yesterday', ['from=yesterday']],
    ['?label=slow&tables=yes', ['label=slow', 'tables=yes']],
    ['?labelled=core&labelled=client.team=core', ['labelled=core']],
    ['?view=fleet&range=1h&by=target&phase=ttfb&sort=worst', []],
    ['?from=2026-11-01T05:40:00Z&to=2026-11-01T06:20:00Z&utm_source=mail', []],
  ])('in %s this is misread: %j', (query, parts) => expect(misread(query)).toEqual(parts));

  test('home has no query', () => expect(formatPlace(HOME)).toBe(''));

  test.each([
    '?view=nonsense&range=100y&by=x&label=healthy&phase=udp&sort=no',
    '?view=pair&client=c',
    '?view=target',
    '?view=incident',
    '?incident=../../x',
    '?incident=0123456789ABCDEF',
    '?incident=0123456789abcdef0',
    '?from=2000&to=1000',
    '?from=x&to=y',
    '?inside_from=5',
    '?measure=ttfb_p95',
    '?measure=ttfb_p95&min=x&max=',
    '?min=1&max=2',
    '?labelled=core&labelled=client.team&labelled=server.team=core',
    '?measure=drop table&min=1&max=2',
  ])('%s is like home', (query) => {
    const { client, ...place } = parsePlace(query);
    const { client: _, ...home } = HOME;
    expect(place).toEqual(home);
    expect(client === null || query.includes('client=c')).toBe(true);
  });

  test('an incident needs nothing but its id', () => {
    expect(formatPlace({ ...HOME, view: 'incident', incident: '0123456789abcdef' })).toBe('?incident=0123456789abcdef');
  });

  test('labels are asked for once each, and not more than the server takes', () => {
    const query = Array.from({ length: 9 }, (_, nth) => `labelled=client.k${nth}=v`).join('&');
    expect(parsePlace(`?labelled=client.k0=v&${query}`).labelled).toHaveLength(8);
    expect(misread(`?${query}`)).toEqual(['labelled=client.k8=v']);
  });

  test('times may be RFC 3339', () => {
    const { range } = parsePlace('?from=2026-11-24T14:00:00Z&to=2026-11-24T15:00:00Z');
    expect(range).toEqual({ from: Date.UTC(2026, 10, 24, 14), to: Date.UTC(2026, 10, 24, 15) });
  });
});

describe('going up', () => {
  test.each<[Partial<Place>, Partial<Place> | null]>([
    [{}, null],
    [{ label: 'dns-bound' }, { isp: null, label: null, labelled: [], only: false }],
    [{ labelled: ['client.team=core'] }, { isp: null, label: null, labelled: [], only: false }],
    [
      { view: 'pair', client: 'c', target: 't', inside: { from: 1, to: 2 } },
      { inside: null, measure: null },
    ],
    [
      { view: 'pair', client: 'c', target: 't' },
      { view: 'fleet', client: null, target: null },
    ],
    [{ view: 'different', target: 't', inside: { from: 1, to: 2 } }, { view: 'target' }],
  ])('%j leads to %j', (from, to) => expect(above({ ...HOME, ...from })).toEqual(to));
});

describe('ranges', () => {
  const now = Date.UTC(2026, 10, 24, 14, 10, 30);

  test('one that follows the present holds the minute that is being measured', () => {
    expect(boundsOf({ last: '1h' }, now)).toEqual({
      from: Date.UTC(2026, 10, 24, 13, 11),
      to: Date.UTC(2026, 10, 24, 14, 11),
    });
  });

  test('an exact one stays', () => expect(boundsOf({ from: 1, to: 2 }, now)).toEqual({ from: 1, to: 2 }));

  test('only an exact one can be past', () => {
    expect(isPast({ last: '1h' }, now)).toBe(false);
  });

  test.each([
    [-600, false],
    [0, false],
    [30, false],
    [59, false],
    [60, true],
    [120, true],
    [300, true],
    [86_400, true],
  ])('one that ended %d s ago is past: %s', (ago_s, is) => {
    expect(isPast({ from: 0, to: now - ago_s * 1_000 }, now)).toBe(is);
  });

  test('a range that ends elsewhere keeps its length', () => {
    expect(endingAt({ from: 0, to: 3_600_000 }, 10_000_000)).toEqual({ from: 6_400_000, to: 10_000_000 });
  });

  test('back to the present with about the same length', () => {
    expect(following({ from: 0, to: 3_600_000 })).toEqual({ last: '1h' });
    expect(following({ from: 0, to: 20 * 3_600_000 })).toEqual({ last: '24h' });
    expect(following({ from: 0, to: 60_000 })).toEqual({ last: '15m' });
  });

  test('a shorter one has a name, and the same end', () => {
    expect(shorter({ last: '24h' }, now)).toEqual({ range: { last: '6h' }, name: '6 hours' });
    expect(shorter({ from: 0, to: 7_200_000 }, now)).toEqual({
      range: { from: 3_600_000, to: 7_200_000 },
      name: '1 hour',
    });
    expect(shorter({ from: 0, to: 3_600_000 }, now)?.name).toBe('15 minutes');
    expect([shorter({ last: '15m' }, now), shorter({ from: 0, to: 900_000 }, now)]).toEqual([null, null]);
  });

  test('shifting keeps the length', () => {
    expect(shifted({ from: 0, to: 3_600_000 }, 0.5)).toEqual({ from: 1_800_000, to: 5_400_000 });
  });
});

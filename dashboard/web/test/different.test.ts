// What stands out, and what is compared where nothing is marked.

import { describe, expect, test } from 'vitest';

import type { MeasurementDifference, Overview } from '../src/api/types.ts';
import { presentFault } from '../src/views/different/fault.ts';
import { measuredParts, placeOf, standingOut } from '../src/words/different.ts';
import { plainText } from '../src/words/parts.ts';

/** The place of what stands out in one dimension, or in several, each with its differences; null where nothing does. */
function outOf(...dimensions: number[][]): [number, number] | null {
  const named = dimensions.map((differences, index) => ({
    dimension: String(index),
    values: differences.map((difference) => ({ difference })),
  }));
  const found = standingOut(named);
  return found && [Number(found.dimension), named[Number(found.dimension)]?.values.indexOf(found.value) ?? -1];
}

describe('a single value stands out', () => {
  test.each([
    [[[0.8, 0.01, 0]], [0, 0]],
    [[[0.8, 0.5]], [0, 0]],
    [[[-0.9, 0.1]], [0, 0]],
    // One takes the place of the other: what is new is told.
    [[[-0.67, 0.66, 0.01]], [0, 1]],
    [[[0.66, -0.66]], [0, 0]],
    // As many differ as much.
    [[Array.from({ length: 20 }, () => -0.158)], null],
    [[[0.5, 0.49, 0]], null],
    // Too little, or nothing to compare it with.
    [[[0.09, 0]], null],
    [[[1]], null],
    [[[]], null],
    // What has ties may be of one provider.
    [
      [
        [0.8, 0.8],
        [0.75, 0],
      ],
      [1, 0],
    ],
  ] as [number[][], [number, number] | null][])('%j', (dimensions, expected) => {
    expect(outOf(...dimensions)).toEqual(expected);
  });
});

test('the value of a label leads to the fleet with it', () => {
  const place = { view: 'fleet', labelled: ['client.team=core'], by: 'client.team', client: null, target: null };
  expect(placeOf('client.team', { value: 'core' })).toEqual(place);
  expect(placeOf('client.team', { value: null }), 'pairs without a label can not be asked for').toBeNull();
  expect(placeOf('site', { value: 'Oslo' })).toBeNull();
});

test('measurements are told with how many were read', () => {
  const value = (value: string, inside_share: number, outside_share: number) => ({
    value,
    inside: 1,
    outside: 1,
    inside_share,
    outside_share,
    difference: inside_share - outside_share,
  });
  const found: MeasurementDifference = {
    inside: 3,
    outside: 1_000,
    is_whole: false,
    kept_since: null,
    dimensions: [{ dimension: 'ip_version', values: [value('IPv6', 1, 0.25), value('IPv4', 0, 0.75)] }],
  };
  expect(plainText(measuredParts(found))).toBe(
    'Among the newest 3 measurements inside and 1,000 measurements outside, what differs most is the IP version IPv6: 100 % inside, 25 % outside.',
  );
  const same = { ...found, is_whole: true, dimensions: [] };
  expect(plainText(measuredParts(same))).toContain('no single value stands out');
  expect(plainText(measuredParts({ ...same, outside: 0 }))).toContain('nothing to compare');
});

describe('the present fault', () => {
  const HOUR = 3_600_000;
  const MINUTE = 60_000;
  const NOW = 100 * HOUR;
  const overview = (severity: string | null, since: number | null, pairs: (number | null)[] = []): Overview =>
    ({
      window_ms: MINUTE,
      sentence: { severity, since, text: '', incident: null },
      diagnoses: pairs.map((since) => ({ since })),
    }) as unknown as Overview;
  const from = NOW - 10 * MINUTE;

  test('is compared with the hour before it', () => {
    const expected = { range: { from: from - HOUR, to: NOW }, inside: { from, to: NOW } };
    expect(presentFault(overview('major', from + 7), NOW)).toEqual(expected);
    expect(presentFault(overview('major', null, [NOW - MINUTE, null, from]), NOW)).toEqual(expected);
  });

  test.each([
    ['nothing hurts', null, NOW - MINUTE],
    ['nobody knows since when', 'major', null],
    ['it has not begun', 'major', NOW + MINUTE],
  ] as const)('there is none where %s', (_, severity, since) => {
    expect(presentFault(overview(severity, since), NOW)).toBeNull();
  });
});

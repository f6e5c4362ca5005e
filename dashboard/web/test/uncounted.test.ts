// What is not counted, in words.

import { expect, test } from 'vitest';

import type { Uncounted, UncountedItem } from '../src/api/types.ts';
import { kindsText, lacksTexts, lastOf, reasonText, uncountedTotal } from '../src/words/uncounted.ts';

function item(left_out: UncountedItem['left_out'], reason: string, count: number, at: number): UncountedItem {
  return { left_out, reason, count, last: { at, client_id: `client of ${reason}`, target: null, message: 'no' } };
}

const ALL: Uncounted = {
  items: [
    item('refused', 'too_many_pairs', 1_000, 5),
    item('late', 'late', 12, 9),
    item('refused', 'of_tomorrow', 3, 7),
    item('unreadable', 'unreadable', 1, 1),
  ],
  counted_since: 0,
  counts_refused: true,
  counts_all_partitions: true,
};

test('kinds are summed up, and what there is none of is left out', () => {
  expect(uncountedTotal(ALL)).toBe(1_016);
  expect(kindsText(ALL)).toBe('12 late, 1,003 refused, 1 unreadable');
  expect(kindsText({ ...ALL, items: ALL.items.slice(1, 2) })).toBe('12 late');
  expect(lastOf(ALL)?.client_id).toBe('client of late');
  expect(lastOf({ ...ALL, items: [] })).toBeNull();
});

test('each reason is told, also one that this page does not know', () => {
  expect(ALL.items.map(reasonText)).toEqual([
    'Refused: of one pair too many',
    'Late: its window was closed',
    'Refused: of_tomorrow',
    'Unreadable: a dead letter',
  ]);
});

test('what the counts lack is said', () => {
  expect(lacksTexts(ALL)).toEqual([]);
  const [refused, partitions] = lacksTexts({ ...ALL, counts_refused: false, counts_all_partitions: false });
  expect(refused).toContain('/metrics');
  expect(partitions).toContain('this process');
});

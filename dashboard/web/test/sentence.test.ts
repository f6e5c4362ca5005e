import { describe, expect, test } from 'vitest';

import type { Overview } from '../src/api/types.ts';
import { lastDegradedParts, plainText, sentenceOf } from '../src/words/sentence.ts';
import { all, AT, overviewOf } from './overview.ts';

const telling = {
  past: false,
  now: AT + 60_000,
  time: (at: number) => new Date(at).toISOString().slice(11, 16),
};

function check(overview: Overview, expected: string, how = telling) {
  expect(plainText(sentenceOf(overview, how))).toBe(expected);
}

describe('without trouble', () => {
  test('all pairs are healthy', () => {
    check(overviewOf(100, 20, 4, []), 'All 2,000 pairs are healthy.');
  });

  test('one pair alone is healthy', () => {
    check(overviewOf(1, 1, 1, []), 'The only pair is healthy.');
  });

  test('what can not be judged is said', () => {
    check(overviewOf(10, 2, 1, [], 3), 'All 17 judged pairs are healthy; 3 have no baseline yet.');
  });

  test('of one there is no “all”', () => {
    check(overviewOf(2, 1, 1, [], 1), 'The only judged pair is healthy; 1 has no baseline yet.');
    check(overviewOf(1, 1, 1, [], 1), 'The only pair is measured, and has no baseline yet.');
  });

  test('nothing can be judged yet', () => {
    const sentence = sentenceOf(overviewOf(10, 2, 1, [], 20), telling);
    expect(plainText(sentence)).toBe('20 pairs are measured, and none has a baseline yet.');
    expect(sentence).toMatchObject({
      tone: 'unknown',
      advice: expect.stringMatching(/ten earlier windows .* about 11 minutes/),
    });
  });

  test('there is nothing at all, and something to do', () => {
    const empty = { ...overviewOf(0, 0, 1, []), at: null };
    const sentence = sentenceOf(empty, telling);
    expect(plainText(sentence)).toBe('There are no measurements yet.');
    expect(sentence.advice).toContain('netqoe probe --target');
  });

  test('there was nothing in a range of the past', () => {
    check({ ...overviewOf(0, 0, 1, []), at: null }, 'There are no measurements in this range.', {
      ...telling,
      past: true,
    });
  });

  test('what is no longer measured is not called the present', () => {
    const later = { ...telling, now: AT + 10 * 60_000 };
    check(
      overviewOf(2, 2, 1, []),
      'Nothing has been measured since 14:11. Before that: All 4 pairs were healthy at 14:10.',
      later,
    );
    expect(sentenceOf(overviewOf(2, 2, 1, []), later).tone).toBe('unknown');
  });

  test('a range of the past is told as such', () => {
    const past = { ...telling, past: true };
    check(overviewOf(2, 2, 1, []), 'All 4 pairs were healthy at 14:10.', past);
    const hurt = all(20).map((client) => ({ client, target: 7 }));
    check(
      overviewOf(20, 40, 4, hurt),
      '1 of 40 targets was degraded at 14:10, since 14:02: server-bound at t-7 for all 4 providers.',
      past,
    );
  });
});

describe('one cause', () => {
  test('a target, for all providers', () => {
    const hurt = all(20).map((client) => ({ client, target: 7 }));
    check(
      overviewOf(20, 40, 4, hurt),
      '1 of 40 targets is degraded since 14:02: server-bound at t-7 for all 4 providers.',
    );
  });

  test('a target, for one provider only', () => {
    const hurt = [0, 4, 8].map((client) => ({ client, target: 7 }));
    check(overviewOf(20, 40, 4, hurt), '1 of 40 targets is degraded since 14:02: server-bound at t-7 for isp-0 only.');
  });

  test('a target, where there is but one provider', () => {
    const hurt = all(7).map((client) => ({ client, target: 7 }));
    check(
      overviewOf(20, 40, 1, hurt),
      '1 of 40 targets is degraded since 14:02: server-bound at t-7 for 7 of 20 clients.',
    );
  });

  test('a client, at all its targets', () => {
    const hurt = all(40).map((target) => ({ client: 3, target, label: 'dns-bound' as const }));
    check(
      overviewOf(20, 40, 4, hurt),
      '1 of 20 clients is degraded since 14:02: dns-bound for c-3 (isp-3, wifi) at all 40 targets.',
    );
  });

  test('a provider', () => {
    const hurt = [1, 5, 9].flatMap((client) =>
      all(6).map((target) => ({ client, target, label: 'throughput-bound' as const })),
    );
    check(
      overviewOf(12, 6, 4, hurt),
      '18 of 72 pairs are degraded since 14:02: throughput-bound for isp-1 (3 clients, 6 targets).',
    );
  });

  test('a single pair', () => {
    check(
      overviewOf(20, 40, 4, [{ client: 3, target: 7 }]),
      '1 of 800 pairs is degraded since 14:02: server-bound at t-7 for c-3.',
    );
  });

  test('labels that differ are not claimed to be one', () => {
    const hurt = all(20).map((client) => ({
      client,
      target: 7,
      label: client < 2 ? ('dns-bound' as const) : undefined,
    }));
    check(
      overviewOf(
        20,
        40,
        4,
        hurt.map(({ label, ...rest }) => (label ? { ...rest, label } : rest)),
      ),
      '1 of 40 targets is degraded since 14:02: mostly server-bound at t-7 for all 4 providers.',
    );
  });

  test('where no row says since when, the sentence does not either', () => {
    const overview = overviewOf(20, 40, 4, [{ client: 3, target: 7 }]);
    overview.diagnoses.forEach((diagnosis) => (diagnosis.since = null));
    check(overview, '1 of 800 pairs is degraded: server-bound at t-7 for c-3.');
  });
});

describe('several causes', () => {
  const target7 = all(20).map((client) => ({ client, target: 7 }));
  const client3 = all(40).map((target) => ({ client: 3, target, label: 'dns-bound' as const, since: AT }));

  test('a target and a client', () => {
    const hurt = [...target7.filter(({ client }) => client !== 3), ...client3];
    check(
      overviewOf(20, 40, 4, hurt),
      '59 of 800 pairs are degraded, the first since 14:02: dns-bound for c-3 (isp-3, wifi) at all 40 targets; ' +
        'server-bound at t-7 for all 4 providers.',
    );
  });

  test('more than can be named are counted', () => {
    const hurt = all(5).map((index) => ({ client: index, target: index }));
    check(
      overviewOf(20, 40, 20, hurt),
      '5 of 800 pairs are degraded, the first since 14:02: server-bound at t-0 for c-0; server-bound at t-1 for c-1; ' +
        'server-bound at t-2 for c-2; and 2 more causes.',
    );
  });

  test('what the server left off is not hidden', () => {
    const overview = overviewOf(20, 40, 4, target7);
    const hurt = { ...overview.pairs, degraded: 32 };
    check(
      { ...overview, pairs: hurt, diagnoses_left_off: 12 },
      '1 of 40 targets is degraded since 14:02: server-bound at t-7 for all 4 providers (12 more pairs not looked at).',
    );
  });
});

test('what was left off but belongs to a cause is accounted for', () => {
  const overview = overviewOf(
    20,
    40,
    4,
    all(20).map((client) => ({ client, target: 7 })),
  );
  const few = { ...overview, diagnoses: overview.diagnoses.slice(0, 8), diagnoses_left_off: 12 };
  check(few, '1 of 40 targets is degraded since 14:02: server-bound at t-7 for all 4 providers.');
});

test('what was last degraded is told with its main cause', () => {
  const said = (overview: Overview) => plainText({ tone: 'good', parts: lastDegradedParts(overview, '16:17') });
  const target7 = all(20).map((client) => ({ client, target: 7 }));
  expect(said(overviewOf(20, 40, 4, target7))).toBe(
    'Last degraded: 20 pairs until 16:17, server-bound at t-7 for all 4 providers.',
  );
  expect(said(overviewOf(20, 40, 4, [...target7, { client: 3, target: 9 }]))).toBe(
    'Last degraded: 21 pairs until 16:17, server-bound at t-7 for all 4 providers; and 1 more cause.',
  );
});

test('names are parts of their own, so that they can be shown with care', () => {
  const overview = overviewOf(20, 40, 4, [{ client: 3, target: 7 }]);
  const { parts } = sentenceOf(overview, telling);
  expect(parts).toContainEqual({ name: 't-7', place: { view: 'pair', client: 'c-3', target: 't-7' } });
  expect(parts).toContainEqual({ name: 'c-3', place: { view: 'client', client: 'c-3', target: null } });
});

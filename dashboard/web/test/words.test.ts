import { describe, expect, test } from 'vitest';

import { csv } from '../src/words/csv.ts';
import { evidenceText, failedText } from '../src/words/evidence.ts';
import { ago, axisMbits, axisMs, bytes, duration, figure, ms, percent, reach } from '../src/words/figures.ts';
import { matchesText, measureText } from '../src/words/measures.ts';
import { outcomeText, scoreText, sharesText } from '../src/words/score.ts';
import { cut, shortNames, visible, visibleName } from '../src/words/text.ts';
import { differentParts, pointsText } from '../src/words/different.ts';
import type { DimensionValue, Evidence, Score } from '../src/api/types.ts';

describe('marked values', () => {
  test.each([
    [{ column: 'ttfb_p95', min: 110, max: 180.5 }, 'TTFB p95 from 110 to 181 ms'],
    [{ column: 'throughput_p50', min: null, max: 40 }, 'throughput p50 of at most 40 Mbit/s'],
    [{ column: 'count_error', min: 2, max: null }, 'failed measurements of at least 2'],
    [{ column: 'tcp_p50', min: 1, max: 2 }, 'tcp_p50 from 1 to 2'],
  ])('%j reads %s', (measure, expected) => expect(measureText(measure)).toBe(expected));

  test('windows have them, or are degraded', () => {
    expect(matchesText(null)).toBe('are degraded');
    expect(matchesText({ column: 'dns_p95', min: 5, max: null })).toBe('have DNS p95 of at least 5 ms');
  });
});

describe('figures', () => {
  test.each([
    [0, '0'],
    [0.123, '0.12'],
    [9.99, '9.99'],
    [9.996, '10.0'],
    [76.53, '76.5'],
    [99.96, '100'],
    [412.4, '412'],
    [12_345.6, '12,346'],
  ])('%d reads %s', (value, expected) => expect(figure(value)).toBe(expected));

  test.each([
    [0, '0 Mbit/s'],
    [999, '999 Mbit/s'],
    [1_000, '1 Gbit/s'],
    [12_500, '12.5 Gbit/s'],
  ])('an axis has room for %d Mbit/s as %s', (value, expected) => expect(axisMbits(value)).toBe(expected));

  test('both ends of a range have the decimals of the larger', () => {
    expect(reach(88.04, 96.2)).toBe('88.0 to 96.2');
    expect(reach(88.04, 105.3)).toBe('88 to 105');
    expect(reach(-3, 1.5)).toBe('0.00 to 1.50');
    expect(reach(411.7, 412.2)).toBe('412');
  });

  test('milliseconds become seconds where they are many', () => {
    expect([ms(null), ms(412), ms(9_999), ms(12_345)]).toEqual(['–', '412 ms', '9,999 ms', '12.3 s']);
    expect([axisMs(0), axisMs(50), axisMs(20_000)]).toEqual(['0 ms', '50 ms', '20 s']);
  });

  test('what is not all never reads 100 %, and what is not nothing never 0 %', () => {
    expect(percent(1)).toBe('100 %');
    expect(percent(0.99999)).toBe('99.99 %');
    expect(percent(0.000_01)).toBe('< 0.01 %');
    expect(percent(0)).toBe('0 %');
    expect(percent(0.8333)).toBe('83.3 %');
  });

  test.each([
    [-5, '0 ms'],
    [259, '259 ms'],
    [1_990, '1.9 s'],
    [59_999, '59 s'],
    [61_000, '1 min 1 s'],
    [11 * 60_000 + 5_000, '11 min'],
    [3_600_000, '1 h'],
    [4_321_000, '1 h 12 min'],
    [90_000_000, '1 d 1 h'],
  ])('%d ms last %s', (value, expected) => expect(duration(value)).toBe(expected));

  test.each([
    [-300, 'now'],
    [0, 'now'],
    [999, 'now'],
    [1_000, '1 s ago'],
    [9_870, '9 s ago'],
    [65_000, '1 min 5 s ago'],
  ])('%d ms are %s', (age, expected) => expect(ago(age)).toBe(expected));

  test('bytes', () =>
    expect([bytes(34), bytes(4_096), bytes(3 * 1024 * 1024)]).toEqual(['34 B', '4.00 KiB', '3.00 MiB']));
});

describe('evidence', () => {
  const of = (part: Partial<Evidence>): Evidence => ({
    stage: 'ttfb',
    unit: 'ms',
    observed: 412,
    usual: 96,
    usual_low: 88.1,
    usual_high: 104.6,
    sigmas: null,
    share_of_total: 0.8,
    samples: 4,
    bad_samples: 4,
    windows: 2,
    since: 0,
    ...part,
  });
  const uncounted = { samples: null, bad_samples: null, windows: null };

  test('a slow phase has its usual range and what was counted', () => {
    const counted = '; 4 of 4 measurements in 2 windows';
    expect(evidenceText('server-bound', of({}))).toBe(`first byte 412 ms, usually 88 to 105 ms${counted}`);
    const dns = of({ stage: 'dns', observed: 360, usual: 12, usual_low: 11.2, usual_high: 12.9 });
    expect(evidenceText('dns-bound', dns)).toBe(`DNS 360 ms, usually 11.2 to 12.9 ms${counted}`);
    expect(evidenceText('handshake-bound', of({}))).toBe(`TCP + TLS 412 ms, usually 88 to 105 ms${counted}`);
  });

  test('throughput has its unit', () => {
    const range = { usual: 90, usual_low: 81, usual_high: 94.5 };
    const evidence = of({ stage: 'throughput', unit: 'Mbit/s', observed: 27, ...range });
    expect(evidenceText('throughput-bound', evidence)).toBe(
      'throughput 27.0 Mbit/s, usually 81.0 to 94.5 Mbit/s; 4 of 4 measurements in 2 windows',
    );
  });

  test('one is one', () => {
    expect(evidenceText('server-bound', of({ samples: 1, bad_samples: 1, windows: 1 }))).toBe(
      'first byte 412 ms, usually 88 to 105 ms; 1 of 1 measurement in 1 window',
    );
  });

  test('of windows with more samples than two, only a bound is known', () => {
    const counted = (samples: number, bad_samples: number) =>
      evidenceText('server-bound', of({ samples, bad_samples })).split('; ')[1];
    expect(counted(24, 14)).toBe('at least 14 of 24 measurements in 2 windows');
    expect(counted(5, 3)).toBe('at least 3 of 5 measurements in 2 windows');
    expect(counted(4, 3)).toBe('3 of 4 measurements in 2 windows');
    expect(counted(24, 24)).toBe('24 of 24 measurements in 2 windows');
  });

  test('σ are told where the rules measure by them, and they are notable', () => {
    const said = (sigmas: number | null) => evidenceText('server-bound', of({ sigmas, ...uncounted }));
    expect(said(45.14)).toBe('first byte 412 ms, usually 88 to 105 ms, 45 σ above');
    expect(said(-2.04)).toBe('first byte 412 ms, usually 88 to 105 ms, 2.0 σ below');
    for (const few of [0.9, 1.99, -1.5, 0, null]) expect(said(few)).toBe('first byte 412 ms, usually 88 to 105 ms');
  });

  test('a row of an older netqoe says what it has', () => {
    const older = { ...uncounted, usual_low: null, usual_high: null, since: null };
    expect(evidenceText('server-bound', of(older))).toBe('first byte 412 ms, usually 96.0 ms');
    expect(evidenceText('server-bound', of({ ...older, usual: null }))).toBe('first byte 412 ms');
  });

  test('failures are told with their stages', () => {
    const errors = { dns: [0, 0], tcp: [0, 0], tls: [3, 0], http: [1, 0], throughput: [0, 0] };
    const series = { count_error: [4, 0], count_total: [5, 6], errors };
    expect([failedText(series, 0), failedText(series, 1)]).toEqual(['4 of 5 (TLS 3, HTTP 1)', '0 of 6']);
  });

  test('failures are counted, not made a share of', () => {
    const none = { unit: 'share' as const, usual: null, usual_low: null, usual_high: null, share_of_total: null };
    const said = (part: Partial<Evidence>) => evidenceText('error-bound', of({ stage: 'http', ...none, ...part }));
    expect(said({ observed: 0.83, samples: 6, bad_samples: 5 })).toBe(
      '5 of 6 measurements in 2 windows failed, most of them at HTTP',
    );
    expect(said({ observed: 0.5, samples: 2, bad_samples: 1, stage: 'tls' })).toBe(
      '1 of 2 measurements in 2 windows failed, at TLS',
    );
    expect(said({ observed: 0.8, samples: 240, bad_samples: 192 })).toBe(
      '192 of 240 measurements in 2 windows failed, most of them at HTTP',
    );
    expect(said({ observed: 0.8, ...uncounted })).toBe('80 % of the measurements failed, most of them at HTTP');
    expect(said({ observed: 1, ...uncounted })).toBe('all measurements failed, most of them at HTTP');
  });
});

describe('a score', () => {
  test('reads 100 only where it is', () => {
    expect([null, 0, 97.349, 99.96, 100].map(scoreText)).toEqual(['–', '0.0', '97.3', '99.9', '100']);
  });

  test('has an outcome of which both parts are said', () => {
    expect(outcomeText({ score: 83.33, latency: 83.33, loss: 100 })).toBe('83.3 (latency 83.3, loss 100)');
    expect(outcomeText({ score: 0, latency: null, loss: 0 })).toBe('0.0 (latency –, loss 0.0)');
  });

  test('has shares of the time that say what is not known', () => {
    const score = { available: 0.992, unavailable: 0, unmeasured: 0.008 } as Score;
    expect(sharesText(score)).toBe('available 99.20 %, unavailable 0 %, unmeasured 0.80 %');
  });
});

describe('text from events', () => {
  test('what can not be seen becomes a sign', () => {
    expect(visible('a\u0000b\nc\u007f')).toBe('a[U+0000]b[U+000A]c[U+007F]');
    expect(visible('\u202Egnp.exe')).toBe('[U+202E]gnp.exe');
    expect(visible('x\u200by\u0085')).toBe('x[U+200B]y[U+0085]');
  });

  test('a name of spaces is seen', () => {
    expect([visibleName('  '), visibleName('a b'), visibleName('')]).toEqual(['[U+0020][U+0020]', 'a b', '']);
  });

  test('everything else stays, markup and emoji too', () => {
    expect(visible('<b onload=x>é 🦀</b>')).toBe('<b onload=x>é 🦀</b>');
  });

  test('long text is cut from its middle, and never through a sign', () => {
    expect(cut('0123456789', 10)).toBe('0123456789');
    expect(cut('0123456789', 7)).toBe('012…789');
    expect(cut('👩‍👩‍👧‍👦'.repeat(9), 3)).toBe('👩‍👩‍👧‍👦…👩‍👩‍👧‍👦');
  });

  test('names are short unless two would look alike', () => {
    expect(shortNames(['https://a.net/', 'https://b.net/x/'])).toEqual(['a.net', 'b.net/x']);
    expect(shortNames(['https://a.net/', 'http://a.net/'])).toEqual(['https://a.net/', 'http://a.net/']);
  });
});

describe('what is different', () => {
  const value = (difference: number): DimensionValue => ({
    value: 't-7',
    inside_windows: 60,
    inside_matching: 57,
    outside_windows: 100,
    outside_matching: 6,
    inside_share: 0.95,
    outside_share: 0.06,
    difference,
  });
  const answer = (difference: number, insideWindows = 360) => ({
    matches: 'degraded',
    inside: { windows: insideWindows, matching: 57 },
    outside: { windows: 6_000, matching: 450 },
    label_dimensions_left_off: 0,
    dimensions: [{ dimension: 'target' as const, values: [value(difference), { ...value(0.01), value: 't-8' }] }],
  });
  const said = (...of: Parameters<typeof differentParts>) =>
    differentParts(...of)
      .map((part) => (typeof part === 'string' ? part : part.name))
      .join('');

  test('the best value is named', () => {
    expect(said(answer(0.89), 'are degraded')).toBe(
      'Inside, 57 of 360 windows (15.8 %) are degraded; outside, 450 of 6,000 windows (7.5 %). ' +
        'What differs most is the target t-7: 95 % inside, 6 % outside.',
    );
  });

  test('a small difference is not made much of', () => {
    expect(said(answer(0.05), 'are degraded')).toContain('No single value stands out.');
  });

  test('without windows nothing is claimed', () => {
    expect(said(answer(0.89, 0), 'are degraded')).toBe(
      'Inside, no windows are degraded; outside, 450 of 6,000 windows (7.5 %).',
    );
  });

  test('points have a sign', () => expect([0.891, -0.05, 0].map(pointsText)).toEqual(['+89.1', '−5.0', '±0.0']));
});

describe('a table as CSV', () => {
  test('quotes what would end a cell or a line', () => {
    expect(
      csv([
        ['a', 'b, c'],
        ['say "x"', 'two\nlines'],
      ]),
    ).toBe('a,"b, c"\r\n"say ""x""","two\nlines"\r\n');
  });

  test.each(['=1+1', '+cmd', '-2+3', '@SUM(A1)', '\tx', '\rx'])('a spreadsheet does not compute %j', (name) => {
    expect(csv([[name]])).toMatch(/^"?'/);
  });

  test.each(['-3', '+2.5', '12', '-0.25'])('%s stays a number', (number) => {
    expect(csv([[number]])).toBe(`${number}\r\n`);
  });
});

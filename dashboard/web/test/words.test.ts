import { describe, expect, test } from 'vitest';

import { evidenceText, failedText } from '../src/words/evidence.ts';
import { ago, axisMs, bytes, duration, figure, ms, percent, spread } from '../src/words/figures.ts';
import { matchesText, measureText } from '../src/words/measures.ts';
import { cut, shortNames, visible } from '../src/words/text.ts';
import { differentParts, pointsText } from '../src/words/different.ts';
import type { DimensionValue, Evidence } from '../src/api/types.ts';

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

  test('a spread has the decimals of its mean', () => {
    expect(spread(96.2, 7.123)).toBe('96.2 ± 7.1');
    expect(spread(412, 20.6)).toBe('412 ± 21');
    expect(spread(83.3, 141.9)).toBe('83 ± 142');
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
    mean: 96,
    sigma: 7,
    sigmas: 45.14,
    share_of_total: 0.8,
    ...part,
  });

  test('server-bound', () => {
    expect(evidenceText('server-bound', of({}))).toBe(
      'TTFB p95 412 ms, usually 96.0 ± 7.0 ms, 45 σ above; connection normal',
    );
  });

  test('dns-bound', () => {
    const evidence = of({ stage: 'dns', observed: 360, mean: 12, sigma: 1, sigmas: 348, share_of_total: 0.71 });
    expect(evidenceText('dns-bound', evidence)).toBe(
      'DNS p95 360 ms, 71 % of the total, usually 12.0 ± 1.0 ms, 348 σ above',
    );
  });

  test('throughput-bound lies below', () => {
    const evidence = of({
      stage: 'throughput',
      unit: 'Mbit/s',
      observed: 27,
      mean: 90,
      sigma: 4.5,
      sigmas: -14,
      share_of_total: null,
    });
    expect(evidenceText('throughput-bound', evidence)).toBe(
      'throughput p50 27.0 Mbit/s, usually 90.0 ± 4.5 Mbit/s, 14 σ below; latency normal',
    );
  });

  test('failures are told with their stages', () => {
    const errors = { dns: [0, 0], tcp: [0, 0], tls: [3, 0], http: [1, 0], throughput: [0, 0] };
    const series = { count_error: [4, 0], count_total: [5, 6], errors };
    expect([failedText(series, 0), failedText(series, 1)]).toEqual(['4 of 5 (TLS 3, HTTP 1)', '0 of 6']);
  });

  test('error-bound has no baseline', () => {
    const evidence = of({ stage: 'tls', unit: 'share', observed: 0.8, mean: null, sigma: null, sigmas: null });
    expect(evidenceText('error-bound', evidence)).toBe('80 % of the measurements fail, most of them at TLS');
  });
});

describe('text from events', () => {
  test('what can not be seen becomes a sign', () => {
    expect(visible('a\u0000b\nc\u007f')).toBe('a[U+0000]b[U+000A]c[U+007F]');
    expect(visible('\u202Egnp.exe')).toBe('[U+202E]gnp.exe');
    expect(visible('x\u200by\u0085')).toBe('x[U+200B]y[U+0085]');
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
    dimensions: [{ dimension: 'target' as const, values: [value(difference)] }],
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
    expect(said(answer(0.05), 'are degraded')).toContain('No client, target, provider or network stands out.');
  });

  test('without windows nothing is claimed', () => {
    expect(said(answer(0.89, 0), 'are degraded')).toBe(
      'Inside, no windows are degraded; outside, 450 of 6,000 windows (7.5 %).',
    );
  });

  test('points have a sign', () => expect([0.891, -0.05, 0].map(pointsText)).toEqual(['+89.1', '−5.0', '±0.0']));
});

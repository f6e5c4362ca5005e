import { describe, expect, test } from 'vitest';

import { facts } from '../src/words/measurement.ts';
import { waterfall } from '../src/words/waterfall.ts';

const NOW = Date.UTC(2026, 10, 30, 12);
const DAY_S = 86_400;

const MEASURED = {
  event_id: 'e-1',
  client_id: 'c',
  ts_ms: NOW,
  target: 'https://a.test/',
  network_context: { source_ip: '192.0.2.7', network_type: 'wifi', isp: 'Northline' },
  timing_measurements: { dns_ms: 10, tcp_ms: 20, tls_ms: 30, ttfb_ms: 100, throughput_mbps: 95.4 },
  error_stage: null,
  evidence: {
    total_ms: 200,
    redirects_ms: 15,
    request_ms: 5,
    body_ms: 10,
    protocol: 'HTTP/2',
    status: 200,
    body_bytes: 2048,
    peer: '2001:db8::1',
    port: 443,
    ip_version: 6,
    tls: { version: 'TLSv1.3', cipher_suite: 'TLS13_AES_256_GCM_SHA384', resumed: false },
    certificate_expires_s: NOW / 1000 + 90 * DAY_S,
    certificate_subject: 'CN=a.test',
    certificate_issuer: 'CN=An authority',
    tcp_info: {
      min_rtt_ms: 19.5,
      rtt_ms: 21,
      retransmits: 2,
      out_of_order: 1,
      received_bytes: 1,
      delivery_rate_mbps: 1,
    },
    redirects: [{ url: 'http://a.test/', status: 301 }],
    name_servers: [
      { server: '192.0.2.53:53', record_type: 'A', ms: 9.5, outcome: 'addresses', addresses: ['192.0.2.1'] },
      { server: '192.0.2.54:53', record_type: 'A', outcome: 'unanswered' },
    ],
    connect_attempts: [
      { address: '192.0.2.1:443', ms: 250, error: 'no answer' },
      { address: '[2001:db8::1]:443', ms: 20 },
    ],
    response_headers: [{ name: 'server', value: 'nginx' }],
    clock: { synchronized: false },
  },
};

describe('a waterfall', () => {
  test('has the phases one after the other, and then what lies between them', () => {
    const { bars, total } = waterfall(MEASURED);
    expect(total).toBe(200);
    expect(bars.map(({ name, from, to }) => [name, from, to])).toEqual([
      ['Redirects', 0, 15],
      ['DNS', 15, 25],
      ['TCP', 25, 45],
      ['TLS', 45, 75],
      ['Request', 75, 80],
      ['First byte', 80, 180],
      ['Transfer', 180, 190],
      ['Between phases', 190, 200],
    ]);
    expect(bars.some(({ failed }) => failed)).toBe(false);
  });

  test('ends where the measurement failed', () => {
    const failed = { timing_measurements: { dns_ms: 10 }, error_stage: 'TCP', evidence: { total_ms: 30_000 } };
    const { bars } = waterfall(failed);
    expect(bars.map(({ name, from, to, failed }) => [name, from, to, failed])).toEqual([
      ['DNS', 0, 10, false],
      ['TCP', 10, 30_000, true],
    ]);
  });

  test('shows a phase that has a time and failed as failed', () => {
    const refused = { timings: { dns_ms: 10, tcp_ms: 5, tls_ms: 5, ttfb_ms: 80 }, error_stage: 'http' };
    const { bars, total } = waterfall(refused);
    expect(total).toBe(100);
    expect(bars.at(-1)).toMatchObject({ name: 'First byte', from: 20, to: 100, failed: true });
  });

  test('has nothing behind the phase that failed', () => {
    const odd = { timing_measurements: { dns_ms: 10, tcp_ms: 5, tls_ms: 5 }, error_stage: 'tcp' };
    const { bars, total } = waterfall(odd);
    expect([bars.map(({ name }) => name), total]).toEqual([['DNS', 'TCP'], 15]);
  });

  test.each([[{}], [{ evidence: 'x', timing_measurements: [1], error_stage: 7 }], [{ evidence: { total_ms: '9' } }]])(
    'of %j is empty',
    (event) => expect(waterfall(event)).toEqual({ bars: [], total: 0 }),
  );

  test('takes no time for less than none', () => {
    const { bars, total } = waterfall({ timing_measurements: { dns_ms: -5, tcp_ms: 5 }, evidence: { total_ms: 1 } });
    expect([total, bars.map(({ from, to }) => [from, to])]).toEqual([
      5,
      [
        [0, 0],
        [0, 5],
      ],
    ]);
  });
});

describe('facts', () => {
  const told = (event: Record<string, unknown>) =>
    Object.fromEntries(facts(event, NOW).map(({ name, value }) => [name, value]));

  test('tell what the probe has seen', () => {
    expect(told(MEASURED)).toMatchObject({
      Status: 'HTTP/2 200',
      Body: '2.00 KiB',
      Redirects: '301 from http://a.test/',
      Headers: 'server: nginx',
      Address: '[2001:db8::1]:443, IPv6',
      'Failed addresses': '192.0.2.1:443: no answer after 250 ms',
      'Round trip': 'at least 19.5 ms',
      Retransmits: '2, 1 segment out of order',
      'Name server': '192.0.2.53:53 A 9.50 ms; 192.0.2.54:53 A unanswered',
      TLS: 'TLSv1.3, TLS13_AES_256_GCM_SHA384',
      'Certificate of': 'CN=a.test',
      'Issued by': 'CN=An authority',
      Throughput: '95.4 Mbit/s',
      'Measured from': 'wifi, Northline, 192.0.2.7',
      Clock: 'not synchronized',
      Event: 'e-1',
    });
  });

  test.each([
    [90, 'in 90 d', undefined],
    [13, 'in 13 d', true],
    [-2, 'expired 2 d ago', true],
  ])('a certificate with %d days left', (days, says, bad) => {
    const event = { evidence: { certificate_expires_s: NOW / 1000 + days * DAY_S } };
    const [fact] = facts(event, NOW);
    expect(fact?.name).toBe('Certificate expires');
    expect(fact?.value).toContain(says);
    expect(fact?.bad).toBe(bad);
  });

  test('of what is no evidence are none, and nothing throws', () => {
    const odd = {
      evidence: {
        error_message: { a: 1 },
        status: '200',
        redirects: 'x',
        name_servers: [null, 7, { server: 3 }],
        connect_attempts: [[]],
        certificate_expires_s: 1e300,
        tls: [],
        echoes: { sent: 1 },
        response_headers: [{ name: 5 }],
      },
      network_context: 'none',
    };
    expect(facts(odd, NOW)).toEqual([]);
    expect(facts({}, NOW)).toEqual([]);
    expect(facts({ evidence: null }, NOW)).toEqual([]);
  });

  test('what is hidden is seen, and what is long is cut', () => {
    const [fact] = facts({ evidence: { error_message: `a\u202eb${'x'.repeat(1000)}` } }, NOW);
    expect(fact?.value.startsWith('a[U+202E]b')).toBe(true);
    expect(fact?.value.length).toBe(300);
    expect(fact?.bad).toBe(true);
  });
});

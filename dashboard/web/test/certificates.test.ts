// Certificates that expire soon, in words.

import { expect, test } from 'vitest';

import { certificateParts } from '../src/words/certificates.ts';
import { plainText } from '../src/words/parts.ts';

const NOW = Date.UTC(2026, 10, 30);
const HOUR = 3_600_000;

function told(left: number, issuer: string | null): string {
  const certificate = { target: 't', client_id: 'c', issuer, expires_at: NOW + left, seen_at: NOW };
  return plainText(certificateParts(certificate, NOW));
}

test.each([
  [9 * 24 * HOUR + HOUR, null, 'The certificate of t expires in 9 days'],
  [47 * HOUR, null, 'The certificate of t expires in 1 d 23 h'],
  [HOUR / 2, null, 'The certificate of t expires in 30 min'],
  [-5 * HOUR, null, 'The certificate of t expired 5 h ago'],
  [-100 * HOUR, null, 'The certificate of t expired 4 days ago'],
  [72 * HOUR, 'CN=R11, O=An authority', 'The certificate of t expires in 3 days (issuer R11)'],
  [72 * HOUR, 'C=DE, O=An authority', 'The certificate of t expires in 3 days (issuer An authority)'],
  [72 * HOUR, 'nobody knows', 'The certificate of t expires in 3 days (issuer nobody knows)'],
])('%i ms left, issued by %s', (left, issuer, expected) => {
  expect(told(left, issuer)).toBe(expected);
});

test('a long issuer is cut', () => {
  expect(told(0, `CN=${'x'.repeat(500)}`).length).toBeLessThan(120);
});

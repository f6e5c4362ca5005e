// Certificates of targets that expire soon, in words.

import type { ExpiringCertificate } from '../api/types.ts';
import { duration } from './figures.ts';
import type { Part } from './parts.ts';
import { cut } from './text.ts';

const DAY_MS = 86_400_000;
/** Longest issuer that is told: its name, and not where it lives. */
const MOST_OF_ISSUER = 60;

/** `now` is the server's time. */
export function certificateParts({ target, issuer, expires_at }: ExpiringCertificate, now: number): Part[] {
  const left = expires_at - now;
  const when = left < 0 ? `expired ${days(-left)} ago` : `expires in ${days(left)}`;
  const by = issuer === null ? '' : ` (issuer ${cut(issuerName(issuer), MOST_OF_ISSUER)})`;
  return ['The certificate of ', { name: target, place: { view: 'target', target, client: null } }, ` ${when}${by}`];
}

/** The common name of an issuer, or its organization; all of it where it has neither. */
function issuerName(issuer: string): string {
  return /(?:^|,\s*)CN=([^,]+)/.exec(issuer)?.[1] ?? /(?:^|,\s*)O=([^,]+)/.exec(issuer)?.[1] ?? issuer;
}

/** In whole days, of which there are some: nobody plans by the hour until it is late. */
function days(length: number): string {
  return length >= 2 * DAY_MS ? `${Math.floor(length / DAY_MS)} days` : duration(length);
}

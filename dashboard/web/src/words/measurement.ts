// What the evidence of one measurement says, as names and values. All of it was written by whoever sent the event.

import { bytes, duration, mbits, ms } from './figures.ts';
import { list, number, object, text, type Json } from './json.ts';
import { cut, plural, visible } from './text.ts';
import { fullTime } from './times.ts';

export interface Fact {
  name: string;
  value: string;
  /** Whether it is cause for doubt. */
  bad?: boolean;
}

/** Characters of a value: a URL or a message that a person reads. */
const LONGEST = 300;
/** Entries of a list, of name servers or redirects. */
const MOST = 8;
const DAY_MS = 86_400_000;
/** A certificate that has less left is told as a warning: who renews by hand needs days for it. */
const EXPIRES_SOON_DAYS = 14;

/** `now` is the server's time: a certificate's days are counted from it. */
export function facts(event: Json, now: number): Fact[] {
  const evidence = object(event['evidence']);
  return [
    ...of('Error', text(evidence['error_message']), true),
    ...answerFacts(evidence),
    ...connectionFacts(evidence),
    ...nameFacts(evidence),
    ...tlsFacts(evidence, now),
    ...of('Echoes', echoes(object(evidence['echoes']))),
    ...of('Throughput', throughput(event, object(evidence['throughput']))),
    ...originFacts(event, evidence),
  ];
}

function answerFacts(evidence: Json): Fact[] {
  const status = [text(evidence['protocol']), number(evidence['status'])].filter((part) => part !== null).join(' ');
  const size = number(evidence['body_bytes']);
  const headers = list(evidence['response_headers'])
    .slice(0, MOST * 2)
    .flatMap((header) => {
      const { name, value } = object(header);
      return text(name) === null ? [] : [`${String(name)}: ${text(value) ?? ''}`];
    });
  const redirects = list(evidence['redirects'])
    .slice(0, MOST)
    .flatMap((redirect) => {
      const { url, status } = object(redirect);
      return text(url) === null ? [] : [`${number(status) ?? ''} from ${String(url)}`.trim()];
    });
  return [
    ...of('Status', status, (number(evidence['status']) ?? 0) >= 400),
    ...of('Body', size === null ? null : bytes(size)),
    ...of('Redirects', redirects.join('; ')),
    ...of('Headers', headers.join('; ')),
    ...of('Asked again', text(evidence['asked_again'])),
  ];
}

function connectionFacts(evidence: Json): Fact[] {
  const [peer, port, version] = [text(evidence['peer']), number(evidence['port']), number(evidence['ip_version'])];
  const address =
    peer !== null && port !== null ? (peer.includes(':') ? `[${peer}]:${port}` : `${peer}:${port}`) : peer;
  const failed = list(evidence['connect_attempts'])
    .slice(0, MOST)
    .flatMap((attempt) => {
      const { address, ms: took, error } = object(attempt);
      if (text(address) === null || text(error) === null) return [];
      return [`${String(address)}: ${String(error)}${number(took) === null ? '' : ` after ${ms(number(took))}`}`];
    });
  const tcp = object(evidence['tcp_info']);
  const quic = object(evidence['quic_info']);
  const retransmits = number(tcp['retransmits']);
  const lost = number(quic['lost_packets']);
  const outOfOrder = number(tcp['out_of_order']) ?? 0;
  return [
    ...of('Address', address === null ? null : address + (version === null ? '' : `, IPv${version}`)),
    ...of('Failed addresses', failed.join('; '), true),
    ...of('Round trip', rtt(number(tcp['min_rtt_ms']) ?? number(quic['min_rtt_ms']))),
    ...of(
      'Retransmits',
      retransmits === null
        ? null
        : `${retransmits}${outOfOrder > 0 ? `, ${plural(outOfOrder, 'segment')} out of order` : ''}`,
      (retransmits ?? 0) > 0,
    ),
    ...of('Lost packets', lost === null ? null : String(lost), (lost ?? 0) > 0),
  ];
}

function rtt(least: number | null): string | null {
  return least === null ? null : `at least ${ms(least)}`;
}

function nameFacts(evidence: Json): Fact[] {
  const answers = list(evidence['name_servers'])
    .slice(-MOST)
    .flatMap((answer) => {
      const { server, record_type, ms: took, outcome, error } = object(answer);
      if (text(server) === null) return [];
      const said = outcome === 'addresses' ? '' : ` ${text(error) ?? text(outcome)?.replace('_', ' ') ?? ''}`;
      const time = number(took) === null ? '' : ` ${ms(number(took))}`;
      return [`${String(server)} ${text(record_type) ?? ''}${said}${time}`];
    });
  const source = text(evidence['name_source'])?.replace('_', ' ') ?? null;
  return [...of('Name server', answers.join('; ')), ...of('Addresses from', source === 'name server' ? null : source)];
}

function tlsFacts(evidence: Json, now: number): Fact[] {
  const tls = object(evidence['tls']);
  const version = [text(tls['version']), text(tls['cipher_suite'])].filter((part) => part !== null).join(', ');
  return [
    ...of('TLS', version),
    ...of('TLS weakness', text(tls['weakness']), true),
    ...of('Certificate of', text(evidence['certificate_subject'])),
    ...of('Issued by', text(evidence['certificate_issuer'])),
    ...expiry(number(evidence['certificate_expires_s']), now),
  ];
}

function expiry(expires_s: number | null, now: number): Fact[] {
  const at = (expires_s ?? Number.NaN) * 1000;
  // What no calendar has is no expiry.
  if (!(Math.abs(at) < 8.64e15)) return [];
  const left = at - now;
  const told = left < 0 ? `expired ${duration(-left)} ago` : `in ${duration(left)}`;
  return of('Certificate expires', `${fullTime(at)}, ${told}`, left < EXPIRES_SOON_DAYS * DAY_MS);
}

function echoes(echoes: Json): string | null {
  const [sent, received, jitter] = [number(echoes['sent']), number(echoes['received']), number(echoes['jitter_ms'])];
  if (sent === null || received === null) return null;
  return `${received} of ${plural(sent, 'echo', 'echoes')} came back${jitter === null ? '' : `, jitter ${ms(jitter)}`}`;
}

function throughput(event: Json, evidence: Json): string | null {
  const measured = number(object(event['timing_measurements'])['throughput_mbps']);
  const reason = text(evidence['reason']);
  if (reason !== null) return `none: ${reason}`;
  return measured === null ? null : mbits(measured);
}

/** Where it was measured from, and by what. */
function originFacts(event: Json, evidence: Json): Fact[] {
  const network = object(event['network_context']);
  const from = [network['network_type'] ?? network['interface_type'], network['isp'], network['source_ip']];
  const clock = object(evidence['clock']);
  return [
    ...of(
      'Measured from',
      from
        .map(text)
        .filter((part) => part !== null)
        .join(', '),
    ),
    ...of('Clock', clock['synchronized'] === false ? 'not synchronized' : null, true),
    ...of('Probe', text(evidence['probe_version'])),
    ...of('Event', text(event['event_id'])),
  ];
}

function of(name: string, value: string | null, bad = false): Fact[] {
  if (value === null || value.trim() === '') return [];
  return [{ name, value: cut(visible(value), LONGEST), ...(bad ? { bad } : {}) }];
}

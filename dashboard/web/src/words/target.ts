// The one spelling of a target, as ingest has it (`normalised` in model/src/target.rs).

const EMPTY_PATHS: Readonly<Record<string, string>> = { http: '/', https: '/', tcp: '', icmp: '', dns: '' };
const DEFAULT_PORTS: Readonly<Record<string, number>> = { http: 80, https: 443, dns: 53 };

/** Scheme and host in lower case, no default port, and `/` as an empty path of a page; other texts as they are. */
export function normalisedTarget(text: string): string {
  const [, written = '', authority = '', after = ''] = /^([a-z]+):\/\/([^/?#]*)(.*)$/is.exec(text) ?? [];
  const scheme = written.toLowerCase();
  const empty = EMPTY_PATHS[scheme];
  const [, user = '', host = '', port = ''] = /^(.*@)?(\[.*\]|[^:]*)(:.*)?$/s.exec(authority) ?? [];
  if (empty === undefined || !Object.hasOwn(EMPTY_PATHS, scheme) || host === '') return text;
  const isDefault = /^:\d+$/.test(port) && Number(port.slice(1)) === DEFAULT_PORTS[scheme];
  return `${scheme}://${user}${lower(host)}${isDefault ? '' : port}${pathOf(empty, after)}`;
}

function pathOf(empty: string, after: string): string {
  if (after === '' || after === '/') return empty;
  return empty === '/' && !after.startsWith('/') ? `/${after}` : after;
}

/** A zone of an IPv6 address is the name of an interface, whose letters count. */
function lower(host: string): string {
  const zone = host.startsWith('[') ? host.indexOf('%') : -1;
  const small = (text: string) => text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
  return zone < 0 ? small(host) : small(host.slice(0, zone)) + host.slice(zone);
}

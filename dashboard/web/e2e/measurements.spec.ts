// The measurements of a window: why those failed that failed, and what the probe has seen of each.

import { graveFindings } from './support/axe.ts';
import { post, type Measured } from './support/events.ts';
import type { Netqoe } from './support/netqoe.ts';
import { expect, test } from './support/test.ts';

const CLIENT = 'probe <b>1</b>';
const TARGET = 'https://example.com/';
const DAY_S = 86_400;

const pair = { client_id: CLIENT, target: TARGET };

const GOOD: Measured = {
  ...pair,
  evidence: {
    total_ms: 240,
    status: 200,
    protocol: 'HTTP/2',
    peer: '192.0.2.1',
    port: 443,
    ip_version: 4,
    tls: { version: 'TLSv1.3', cipher_suite: 'TLS13_AES_128_GCM_SHA256', resumed: false },
    certificate_expires_s: Math.floor(Date.now() / 1000) + 5 * DAY_S,
    certificate_subject: 'CN=example.com',
    certificate_issuer: 'CN=An authority',
    name_servers: [{ server: '192.0.2.53:53', record_type: 'A', ms: 14.2, outcome: 'addresses' }],
    tcp_info: { min_rtt_ms: 25.1, retransmits: 3 },
  },
};

function failed(error_message: string): Measured {
  const evidence = { error_message, total_ms: 30_000 };
  return { ...pair, error_stage: 'tcp', timings: { dns_ms: 15 }, evidence };
}

/** All of one moment, so that they are in one window. */
function events() {
  const ts_ms = Date.now();
  return EVENTS.map((measured) => ({ ...measured, ts_ms }));
}

const EVENTS = [
  GOOD,
  ...Array.from({ length: 3 }, () => failed('no connection to 192.0.2.1:443: Connection refused (os error 111)')),
  failed('the connection was not established within 30s'),
  failed('<img src=x onerror=alert(1)>\u202e'),
];

function addressOf({ origin }: Netqoe): string {
  return `${origin}/?${new URLSearchParams({ view: 'pair', client: CLIENT, target: TARGET })}`;
}

test('a window says why its measurements failed, and shows each', { tag: '@store' }, async ({ page, up }) => {
  const netqoe = await up();
  const measured = events();
  await post(netqoe, measured);
  await page.goto(addressOf(netqoe));
  const list = page.getByTestId('measurement');
  await expect(list).toHaveCount(EVENTS.length);
  const reasons = page.getByTestId('reasons');
  await expect(reasons).toContainText('5 of 6 measurements failed');
  await expect(reasons.getByRole('listitem')).toHaveText([
    '3 × connection refused at TCP',
    '1 × <img src=x onerror=alert(1)>\\u202e at TCP',
    '1 × timeout after 30 s at TCP',
  ]);

  const good = list.filter({ hasText: 'ok 200' });
  await good.locator('summary').click();
  await expect(good.getByTestId('waterfall').getByRole('rowheader')).toHaveText([
    'DNS',
    'TCP',
    'TLS',
    'First byte',
    'Between phases',
  ]);
  for (const fact of [
    'HTTP/2 200',
    '192.0.2.1:443, IPv4',
    '192.0.2.53:53 A 14.2 ms',
    'TLSv1.3, TLS13_AES_128_GCM_SHA256',
    'CN=An authority',
    'in 4 d',
  ]) {
    await expect(good).toContainText(fact);
  }

  // What somebody looks at stays, also when more is measured.
  await post(netqoe, measured.slice(0, 1));
  await expect(list).toHaveCount(EVENTS.length + 1);
  await expect(good.locator('details[open]')).toHaveCount(1);

  const timeout = list.filter({ hasText: 'timeout after 30 s' });
  await timeout.locator('summary').click();
  await expect(timeout.getByTestId('waterfall').getByRole('rowheader').last()).toHaveText('TCP ✗ failed');
  expect(await graveFindings(page)).toEqual([]);
});

test('on a phone, a measurement is read without sideways scrolling', async ({ page, up }) => {
  await page.setViewportSize({ width: 360, height: 740 });
  const netqoe = await up();
  await post(netqoe, events());
  await page.goto(addressOf(netqoe));
  const list = page.getByTestId('measurement');
  await expect(list).toHaveCount(EVENTS.length);
  const good = list.filter({ hasText: 'ok 200' });
  await good.locator('summary').click();
  await expect(good.getByTestId('waterfall')).toBeVisible();
  const widest = await page.evaluate(() => {
    const inside = document.querySelectorAll('[data-testid="measurements"] *');
    return Math.max(...Array.from(inside, (element) => element.getBoundingClientRect().right));
  });
  expect(widest).toBeLessThanOrEqual(360);
});

test('a server that keeps no log says so', async ({ page, up, watch }) => {
  watch.expect(/status of 404/);
  const netqoe = await up();
  await post(netqoe, events());
  const message = 'this server reads a store and has no log';
  await page.route('**/api/v1/events?*', (route) =>
    route.fulfill({ status: 404, json: { error: 'not_found', message } }),
  );
  await page.goto(addressOf(netqoe));
  await expect(page.getByTestId('measurements')).toContainText(message);
  await expect(page.getByTestId('chart').first()).toBeVisible();
});

// The page opens on what hurts: the phase that was diagnosed, else the total.

import { slowServerOf, within } from './support/faults.ts';
import { expect, test } from './support/test.ts';

const CLIENT = 'demo-07';

test('a pair opens on the phase that hurt last, else on the total', async ({ page, demo }) => {
  const fault = await slowServerOf(demo);
  const open = (from: number, to: number) => {
    const query = { view: 'pair', client: CLIENT, target: fault.target, from: String(from), to: String(to) };
    return page.goto(`${demo.origin}/?${new URLSearchParams(query)}`);
  };
  const chosen = page.getByRole('tab', { selected: true });
  await open(fault.from - 5 * 60_000, fault.to);
  await expect(chosen).toHaveText('TTFB');
  await open(fault.from - 5 * 60_000, fault.from);
  await expect(chosen).toHaveText('Total');
  await expect(page.getByTestId('chart').nth(1)).toContainText('Total, sums of the phases’ medians');
  // What somebody chooses is kept in the address.
  await page.getByRole('tab', { name: 'TCP + TLS' }).click();
  await expect(chosen).toHaveText('TCP + TLS');
  expect(new URL(page.url()).searchParams.get('phase')).toBe('handshake');
});

test('the small charts of a target show the phase that hurts', async ({ page, demo }) => {
  const fault = await slowServerOf(demo);
  const { from, to } = within(fault);
  const view = { view: 'target', target: fault.target, from: String(from), to: String(to) };
  await page.goto(`${demo.origin}/?${new URLSearchParams(view)}`);
  await expect(page.getByTestId('pairs').getByRole('columnheader', { name: 'TTFB p95', exact: true })).toBeVisible();
  await expect(page.getByTestId('pairs').getByRole('img').first()).toHaveAttribute('aria-label', /^TTFB p95, at most /);
});

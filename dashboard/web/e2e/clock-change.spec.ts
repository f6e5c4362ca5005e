// The hour that a clock change repeats: on 1 November 2026 at 06:00 UTC, New York's clocks go back from 02:00 to 01:00.

import { expect, test } from './support/test.ts';

test.use({ timezoneId: 'America/New_York' });

test('a range across the change is named with its zones, and stays where it is', async ({ page, up }) => {
  const { origin } = await up();
  for (const [from, to, name] of [
    ['2026-11-01T05:40:00Z', '2026-11-01T06:20:00Z', /01:40 GMT-4 – 01:20 GMT-5/],
    ['2026-11-01T06:00:00Z', '2026-11-01T06:20:00Z', /01:00–01:20 GMT-5/],
  ] as const) {
    await page.goto(`${origin}/?from=${from}&to=${to}`);
    await expect(page.getByTestId('range').locator('option:checked')).toHaveText(name);
    await page.getByRole('button', { name: 'From … to …' }).click();
    const form = page.getByRole('form', { name: 'Exact range' });
    await expect(form.getByLabel('To: zone').locator('option:checked')).toHaveText('GMT-5');
    await form.getByRole('button', { name: 'Show' }).click();
    await expect(form).toBeHidden();
    const query = new URL(page.url()).searchParams;
    const ends = [query.get('from'), query.get('to')].map((end) => new Date(Number(end) || String(end)).getTime());
    expect(ends).toEqual([from, to].map((end) => Date.parse(end)));
  }
});

test('times in UTC are the choice of the viewer, which the browser keeps', async ({ page, up }) => {
  const { origin } = await up();
  const [from, to] = ['2026-11-01T05:40:00Z', '2026-11-01T06:20:00Z'];
  await page.goto(`${origin}/?from=${from}&to=${to}`);
  const range = page.getByTestId('range').locator('option:checked');
  await expect(range).toHaveText(/01:40 GMT-4 – 01:20 GMT-5/);
  await page.getByRole('button', { name: 'From … to …' }).click();
  const form = page.getByRole('form', { name: 'Exact range' });
  await page.getByLabel('Time zone').selectOption('UTC');
  await expect(range).toHaveText(/05:40–06:20/);
  await expect(form.getByLabel('From', { exact: true })).toHaveValue('2026-11-01T05:40');
  await expect(form.getByLabel('To: zone')).toBeHidden();
  await form.getByRole('button', { name: 'Show' }).click();
  const query = new URL(page.url()).searchParams;
  expect([query.get('from'), query.get('to')].map(Number)).toEqual([from, to].map((end) => Date.parse(end)));
  await page.reload();
  await expect(page.getByRole('contentinfo')).toContainText('Times are in UTC');
});

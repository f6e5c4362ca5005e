// Where tokens are configured, one is asked for, and kept where scripts can't read it.

import { writeFile } from 'node:fs/promises';

import { post } from './support/events.ts';
import { expect, test } from './support/test.ts';

const TOKEN = 'a-token-that-may-read';
const COOKIE = 'netqoe_session';

test('a token signs in, a cookie keeps it, and signing out takes it back', async ({ page, up, watch }, testInfo) => {
  const file = testInfo.outputPath('tokens');
  await writeFile(file, `${TOKEN}\nonly-for-one=client-1\n`);
  const netqoe = await up('--tokens-file', file);
  await post(netqoe, [{ client_id: 'client-1', target: 'https://example.com/' }], TOKEN);
  // The refusals that are provoked here; the browser tells of them in its console.
  watch.expect(/^console: Failed to load resource: the server responded with a status of 401/);

  await page.goto(`${netqoe.origin}/?view=pipeline`);
  const field = page.getByLabel('Token');
  await expect(field).toBeFocused();
  for (const [token, answer] of [
    ['wrong', /this token is not known/i],
    // Not what the first one is told: that is still there until the second is answered, and signing in is one at a time.
    ['only-for-one', /speaks for some clients only/],
  ] as const) {
    await field.fill(token);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await expect(page.getByRole('alert')).toContainText(answer);
  }
  expect(await page.context().cookies()).toEqual([]);

  await field.fill(TOKEN);
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { name: 'Pipeline' })).toBeVisible();
  await expect(page.getByTestId('partitions')).toBeVisible();
  const [cookie, ...others] = await page.context().cookies();
  expect(others).toEqual([]);
  expect(cookie).toMatchObject({ name: COOKIE, httpOnly: true, sameSite: 'Strict', path: '/', secure: false });
  expect(await page.evaluate(() => document.cookie)).toBe('');
  const kept = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }]));
  expect(kept + page.url(), 'only the cookie has the token').not.toContain(TOKEN);

  await page.reload();
  await expect(page.getByTestId('partitions')).toBeVisible();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await expect(field).toBeVisible();
  expect(await page.context().cookies()).toEqual([]);
  if (cookie !== undefined) await page.context().addCookies([cookie]);
  await page.reload();
  await expect(field, 'a copy of the cookie is out, too').toBeVisible();
});

// With nothing to show, the page says what to do.

import { expect, test } from './support/test.ts';

test('a store without rows', async ({ page, up }) => {
  const netqoe = await up();
  await page.goto(netqoe.origin);
  await expect(page.getByTestId('sentence')).toHaveText('There are no measurements yet.');
  await expect(page.getByRole('region', { name: 'Summary' })).toContainText(
    'netqoe probe --target https://example.com/ --endpoint',
  );
  await page.goto(`${netqoe.origin}/?view=pair&client=nobody&target=nothing`);
  await expect(page.getByRole('main')).toContainText('Choose a longer range above, or check that the client');
  await page.goto(`${netqoe.origin}/?view=client&client=nobody`);
  await expect(page.getByRole('main')).toContainText('Choose a longer range above, or look for another name');
  await page.goto(`${netqoe.origin}/?view=different`);
  await expect(page.getByRole('main')).toContainText('Mark a region of time');
  await page.goto(`${netqoe.origin}/?view=pipeline`);
  await expect(page.getByTestId('dead-letters')).toContainText('None: everything could be read.');
});

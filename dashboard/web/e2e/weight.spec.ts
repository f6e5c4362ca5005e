// What a first load transfers.

import { expect, test } from './support/test.ts';
import { transferred } from './support/transferred.ts';

const MOST_BYTES = 500_000;

test('the page is light', async ({ page, demo }) => {
  await page.goto(demo.origin);
  await expect(page.getByTestId('matrix')).toBeVisible();
  const { files, answers } = await transferred(page);
  console.log(`first load: ${files} bytes of files, ${answers} bytes of answers`);
  expect(files + answers).toBeLessThan(MOST_BYTES);
  // Not because nothing was counted.
  expect(files).toBeGreaterThan(MOST_BYTES / 50);
});

// What could not be read is shown with its reason and content, and can be tried again.

import { answers } from './support/api.ts';
import { expect, test } from './support/test.ts';

const LETTER = '{"client_id": "<script>globalThis.ran=1</script>", \u202Ethis is no event';

test('a dead letter is shown, and comes back when it is replayed', { tag: '@store' }, async ({ page, up }) => {
  const netqoe = await up();
  await netqoe.stop();
  await netqoe.append(LETTER);
  await netqoe.start();

  await page.goto(`${netqoe.origin}/?view=pipeline`);
  const letters = page.getByTestId('dead-letter');
  await expect(letters).toHaveCount(1);
  await expect(page.getByTestId('ledger')).toHaveText('1 read = 0 accepted + 0 duplicate + 0 late + 1 invalid');
  const [letter] = (await answers.deadLetters(netqoe)).items;
  expect(letter?.original).toBe(LETTER);
  await expect(letters.locator('strong')).toHaveText(letter?.reason ?? '');
  await expect(letters.locator('pre')).toHaveText(LETTER.replace('\u202E', '[U+202E]'));
  expect(await page.evaluate(() => 'ran' in globalThis)).toBe(false);

  await letters.getByRole('button', { name: 'Replay' }).click();
  await expect(page.getByTestId('dead-letters')).toContainText('Sent through the log again');
  // Still no event: it is set aside again, as another letter.
  await expect
    .poll(async () => (await answers.deadLetters(netqoe)).items.map(({ id }) => id))
    .not.toContain(letter?.id);
  await expect(page.getByTestId('ledger')).toHaveText(/^2 read = .* 2 invalid$/);
  await expect(letters).toHaveCount(1);
});

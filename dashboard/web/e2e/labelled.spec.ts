// The fleet of the pairs with a label, one click away from the label's value.

import { answers } from './support/api.ts';
import { graveFindings } from './support/axe.ts';
import { post } from './support/events.ts';
import { expect, test } from './support/test.ts';
import { fits } from './support/width.ts';

const EDGE = 'edge "<b>&=+ü';

/** Two teams with two clients each, all of which fail; the shop is labelled as well. */
const pairs = [
  ['core-1', 'core'],
  ['core-2', 'core'],
  ['edge-1', EDGE],
  ['edge-2', EDGE],
].flatMap(([client_id = '', team = '']) =>
  ['https://shop.test/', 'https://other.test/'].map((target) => ({
    client_id,
    target,
    client_labels: { team },
    ...(target.includes('shop') && { target_labels: { service: 'shop' } }),
    error_stage: 'tls' as const,
  })),
);

for (const [colorScheme, width] of [
  ['light', 360],
  ['dark', 1280],
] as const) {
  test.describe(`${colorScheme}, ${width} px`, () => {
    test.use({ colorScheme, viewport: { width, height: 740 } });

    test('the value of a label leads to the fleet of the pairs with it', { tag: '@store' }, async ({ page, up }) => {
      const netqoe = await up();
      // One failure alone is nobody's fault.
      await post(netqoe, [...pairs, ...pairs]);
      await expect.poll(async () => (await answers.overview(netqoe)).pairs.degraded).toBe(pairs.length);
      const degraded = page.getByRole('region', { name: 'Degraded pairs of the matrix' }).getByRole('row');
      const groups = page.getByTestId('group');

      await page.goto(`${netqoe.origin}/?tables=1`);
      await expect(degraded).toHaveCount(1 + pairs.length);
      await page.getByTestId('group-by-label').selectOption('client.team');
      await groups.getByRole('link', { name: EDGE }).click();
      await expect(degraded).toHaveCount(1 + 4);
      await expect(groups).toHaveCount(1);
      await expect(page.getByRole('button', { name: `client team ${EDGE}` })).toBeVisible();

      await page.getByTestId('group-by-label').selectOption('target.service');
      await groups.getByRole('link', { name: 'shop', exact: true }).click();
      await expect(degraded).toHaveCount(1 + 2);
      expect(new URL(page.url()).searchParams.getAll('labelled')).toEqual([
        `client.team=${EDGE}`,
        'target.service=shop',
      ]);
      expect(await graveFindings(page)).toEqual([]);
      await fits(page, width);

      await page.getByRole('button', { name: `client team ${EDGE}` }).click();
      await expect(degraded).toHaveCount(1 + 4);
      await page.keyboard.press('Escape');
      await expect(degraded).toHaveCount(1 + pairs.length);
    });
  });
}

// What a label means, one click away, with the thresholds of the rules.

import { graveFindings } from './support/axe.ts';
import { slowServerOf, within } from './support/faults.ts';
import { expect, test } from './support/test.ts';

for (const [colorScheme, width] of [
  ['light', 360],
  ['dark', 1280],
] as const) {
  test.describe(`${colorScheme}, ${width} px`, () => {
    test.use({ colorScheme, viewport: { width, height: 740 } });

    test('a label explains itself', async ({ page, demo }) => {
      const fault = await slowServerOf(demo);
      const { from, to } = within(fault);
      const view = { view: 'target', target: fault.target, from: String(from), to: String(to) };
      await page.goto(`${demo.origin}/?${new URLSearchParams(view)}`);
      await page.getByTestId('pairs').getByRole('button', { name: 'server-bound' }).first().click();
      const help = page.getByTestId('label-help');
      await expect(help).toContainText('server-bound: the first byte comes late');
      await expect(help).toContainText('at least 1.3 times the usual time, at least 5 ms above it');
      await expect(help).toContainText('at least 2 times the usual time and 1000 ms more');
      expect(await graveFindings(page)).toEqual([]);
      const box = await help.boundingBox();
      expect(box && box.x >= 0 && box.x + box.width <= width, 'it is within the screen').toBe(true);
      await page.keyboard.press('Escape');
      await expect(help).toBeHidden();
      expect(new URL(page.url()).searchParams.get('view')).toBe('target');
    });
  });
}

// Every view in both colour schemes before axe-core, and on a narrow screen.

import { graveFindings } from './support/axe.ts';
import { slowServerOf, within } from './support/faults.ts';
import type { Netqoe } from './support/netqoe.ts';
import { expect, test } from './support/test.ts';
import { show, viewsOf } from './support/views.ts';

const CLIENT = 'demo-07';
const NARROW = { width: 360, height: 740 };

/** The views in the moment of a fault, when there is most to be seen. */
async function shownOf(demo: Netqoe) {
  const fault = await slowServerOf(demo);
  const { from, to } = within(fault);
  const views = viewsOf({ client: CLIENT, target: fault.target, inside: { from: fault.from, to } });
  return { views, range: { from: String(from), to: String(to) } };
}

for (const colorScheme of ['light', 'dark'] as const) {
  test.describe(colorScheme, () => {
    test.use({ colorScheme });

    test('axe-core finds nothing serious', async ({ page, demo }) => {
      const { views, range } = await shownOf(demo);
      for (const view of views) {
        await show(page, demo, view, range);
        await expect(page.locator('html')).toHaveAttribute('data-scheme', colorScheme);
        expect.soft(await graveFindings(page), view.name).toEqual([]);
      }
      for (const key of ['/', '?']) {
        await page.keyboard.press(key);
        await expect(page.getByRole('dialog')).toBeVisible();
        expect.soft(await graveFindings(page), `dialog ${key}`).toEqual([]);
        await page.keyboard.press('Escape');
        await expect(page.getByRole('dialog')).toHaveCount(0);
      }
    });
  });
}

test('the scheme follows the system, or what was chosen', async ({ page, demo }) => {
  const background = () => page.locator('html').evaluate((html) => getComputedStyle(html).backgroundColor);
  await page.emulateMedia({ colorScheme: 'light' });
  await page.goto(demo.origin);
  await expect(page.locator('html')).toHaveAttribute('data-scheme', 'light');
  const light = await background();
  await page.emulateMedia({ colorScheme: 'dark' });
  await expect(page.locator('html')).toHaveAttribute('data-scheme', 'dark');
  expect(await background()).not.toBe(light);
  await page.getByLabel('Colour scheme').selectOption('light');
  await expect(page.locator('html')).toHaveAttribute('data-scheme', 'light');
  await page.reload();
  await expect(page.locator('html')).toHaveAttribute('data-scheme', 'light');
  expect(await background()).toBe(light);
});

test.describe('narrow', () => {
  test.use({ viewport: NARROW });

  test('nothing is wider than the screen', async ({ page, demo }) => {
    const { views, range } = await shownOf(demo);
    for (const view of views) {
      await show(page, demo, view, range);
      const width = await page.evaluate(() => document.documentElement.scrollWidth);
      expect.soft(width, view.name).toBeLessThanOrEqual(NARROW.width);
      const tables = page.locator('.scroll-x');
      const hidden = await tables.evaluateAll((all) => all.map((one) => one.scrollWidth - one.clientWidth));
      expect.soft(Math.max(0, ...hidden), `${view.name}: no table is scrolled sideways`).toBe(0);
    }
  });
});

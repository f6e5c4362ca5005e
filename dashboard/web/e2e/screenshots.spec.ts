// Every view, wide and narrow, light and dark, left in target/e2e/screens; and the pictures of README.md (`npm run screenshots`).

import { statSync } from 'node:fs';

import type { Page } from '@playwright/test';

import { slowServerOf, within } from './support/faults.ts';
import type { Netqoe } from './support/netqoe.ts';
import { IMAGES, OUTPUT } from './support/output.ts';
import { expect, test } from './support/test.ts';
import { show, viewsOf } from './support/views.ts';

const CLIENT = 'demo-07';
const MINUTE_MS = 60_000;
const WIDTHS = { wide: 1440, narrow: 360 };
/** A picture in the repository is small. */
const MOST_BYTES = 200_000;

/** The views while a server answers late, with a quarter of an hour before it. */
async function seen(demo: Netqoe) {
  const fault = await slowServerOf(demo);
  const views = viewsOf({ client: CLIENT, target: fault.target, inside: fault });
  const range = { from: String(fault.from - 16 * MINUTE_MS), to: String(within(fault).to) };
  return { views, range, fault };
}

for (const colorScheme of ['light', 'dark'] as const) {
  test.describe(colorScheme, () => {
    test.use({ colorScheme });

    for (const [name, width] of Object.entries(WIDTHS)) {
      test(`every view, ${name}`, async ({ page, demo }) => {
        await page.setViewportSize({ width, height: 900 });
        const { views, range } = await seen(demo);
        for (const view of views) {
          await show(page, demo, view, { ...range, tables: '0' });
          await drawn(page);
          const path = `${OUTPUT}/screens/${view.name.replaceAll(' ', '-')}-${name}-${colorScheme}.png`;
          await page.screenshot({ path, fullPage: true });
        }
      });
    }

    test('the picture of README.md', async ({ page, demo }) => {
      const { views, range, fault } = await seen(demo);
      const shown = colorScheme === 'light' ? 'fleet by target' : 'pair';
      const view = views.find(({ name }) => name === shown);
      if (!view) throw new Error(`there is no view ${shown}`);
      const { inside_from, inside_to, ...query } = view.query;
      // Of a pair also how it went on.
      const to = shown === 'pair' ? { to: String(fault.to + 8 * MINUTE_MS) } : {};
      await show(page, demo, { ...view, query }, { ...range, ...to, tables: '0' });
      await drawn(page);
      const path = `${IMAGES ?? OUTPUT}/${colorScheme === 'light' ? 'fleet' : 'pair'}.png`;
      await page.screenshot({ path });
      expect(statSync(path).size).toBeLessThan(MOST_BYTES);
    });
  });
}

/** Canvases draw in the frame after their data. */
async function drawn(page: Page): Promise<void> {
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
}

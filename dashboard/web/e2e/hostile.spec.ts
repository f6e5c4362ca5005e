// Names that want to be more than text are text, on every view.

import { answers } from './support/api.ts';
import { post } from './support/events.ts';
import { NAMES, nothingRan } from './support/hostile.ts';
import { expect, test } from './support/test.ts';
import { show, viewsOf } from './support/views.ts';

/** A hostile client measures a hostile target of a hostile provider; everything fails, so that all are named wherever something hurts. */
const pairs = NAMES.flatMap((name) =>
  [name, `${name.slice(0, 80)} again`].map((target) => ({
    client_id: name,
    target,
    isp: name,
    network_type: name,
    error_stage: 'tls' as const,
  })),
);

/** One failure alone is nobody's fault. */
const events = [...pairs, ...pairs];

test('names are shown as text, and nothing of them runs', async ({ page, up }) => {
  const netqoe = await up();
  await post(netqoe, events);
  await expect.poll(async () => (await answers.overview(netqoe)).pairs.degraded).toBe(pairs.length);
  const { at } = await answers.overview(netqoe);
  const inside = { from: at ?? 0, to: (at ?? 0) + 60_000 };

  for (const [index, name] of NAMES.entries()) {
    for (const view of viewsOf({ client: name, target: name, inside })) {
      // A view that is about no name shows all of them: once is enough.
      if (index > 0 && !('client' in view.query || 'target' in view.query)) continue;
      await test.step(`${view.name} of ${JSON.stringify(name.slice(0, 30))}`, async () => {
        await show(page, netqoe, view);
        await nothingRan(page);
      });
    }
  }
  await page.goto(netqoe.origin);
  await expect(page.getByTestId('matrix')).toBeVisible();
  await page.keyboard.press('/');
  await expect(page.getByRole('dialog').getByRole('option')).not.toHaveCount(0);
  await nothingRan(page);
});

test('the text of a name is there, whole or with its whole in a title', async ({ page, up }) => {
  const netqoe = await up();
  const [html, , , , , controls, bidi] = NAMES as [string, string, string, string, string, string, string];
  const long = 'x'.repeat(255);
  await post(netqoe, events);
  await expect.poll(async () => (await answers.overview(netqoe)).pairs.degraded).toBe(pairs.length);
  const title = page.getByTestId('client-title').locator('.name');
  const open = (client: string) => page.goto(`${netqoe.origin}/?${new URLSearchParams({ view: 'client', client })}`);

  await open(html);
  await expect(title).toHaveText(html);
  await open(controls);
  await expect(title).toHaveText('line[U+000A]break[U+000D][U+0009]tab[U+0007]bell[U+001B][31mred[U+007F][U+0085]');
  await open(bidi);
  await expect(title).toHaveText('admin[U+202E]gnp.exe[U+202C][U+2066]isolated[U+2069][U+200F][U+061C]');
  await open(long);
  await expect(title).toHaveText(/^x+…x+$/);
  await expect(title).toHaveAttribute('title', long);
});

test('names of any length leave a narrow screen as it is', async ({ page, up }) => {
  await page.setViewportSize({ width: 360, height: 740 });
  const netqoe = await up();
  await post(netqoe, events);
  await expect.poll(async () => (await answers.overview(netqoe)).pairs.degraded).toBe(pairs.length);
  const { at } = await answers.overview(netqoe);
  const inside = { from: at ?? 0, to: (at ?? 0) + 60_000 };
  for (const name of NAMES.filter(({ length }) => length > 80)) {
    for (const view of viewsOf({ client: name, target: name, inside })) {
      await show(page, netqoe, view);
      const width = await page.evaluate(() => document.documentElement.scrollWidth);
      expect.soft(width, view.name).toBeLessThanOrEqual(360);
    }
  }
});

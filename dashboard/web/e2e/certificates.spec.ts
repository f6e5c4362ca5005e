// A certificate that expires soon is said on the first screen, until it is renewed.

import { answers } from './support/api.ts';
import { graveFindings } from './support/axe.ts';
import { post, type Measured } from './support/events.ts';
import type { Netqoe } from './support/netqoe.ts';
import { expect, test } from './support/test.ts';
import { fits } from './support/width.ts';

const DAY_S = 86_400;

function measured(target: string, days: number): Measured {
  const certificate_expires_s = Math.floor(Date.now() / 1_000) + days * DAY_S + 3_600;
  const evidence = { certificate_expires_s, certificate_issuer: 'CN=<b>Authority</b>, O=Example' };
  return { client_id: 'probe-1', target, evidence };
}

/** The log is looked through every ten seconds, and no commit announces what was found. */
async function known(netqoe: Netqoe, count: number): Promise<void> {
  await expect.poll(async () => (await answers.overview(netqoe)).certificates.length).toBe(count);
}

for (const colorScheme of ['light', 'dark'] as const) {
  test.describe(colorScheme, () => {
    test.use({ colorScheme });

    test('certificates that expire soon are told, the first to expire first', async ({ page, up }) => {
      const netqoe = await up();
      await post(netqoe, [
        measured('https://later.example/', 90),
        measured('https://soon.example/', 9),
        measured('https://expired.example/', -3),
      ]);
      await known(netqoe, 2);
      await page.goto(netqoe.origin);
      const told = page.getByTestId('certificates').getByRole('listitem');
      await expect(told).toHaveText([
        'The certificate of expired.example expired 2 days ago (issuer <b>Authority</b>)',
        'The certificate of soon.example expires in 9 days (issuer <b>Authority</b>)',
      ]);
      for (const width of [360, 1280]) {
        await page.setViewportSize({ width, height: 740 });
        expect.soft(await graveFindings(page), `${width} px`).toEqual([]);
        await fits(page, width);
      }

      await post(netqoe, [measured('https://expired.example/', 90)]);
      await known(netqoe, 1);
      await page.reload();
      await expect(told).toHaveText(['The certificate of soon.example expires in 9 days (issuer <b>Authority</b>)']);
    });
  });
}

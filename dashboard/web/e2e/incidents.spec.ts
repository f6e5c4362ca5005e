// Incidents as the page shows them: first screen, an incident's page, notes, maintenance. How they are found, the server's tests say.

import { graveFindings } from './support/axe.ts';
import { NAMES, nothingRan } from './support/hostile.ts';
import { idOf, makeUp, openSince, thisMinute } from './support/incidents.ts';
import { tabToMatrix } from './support/matrix.ts';
import { expect, test } from './support/test.ts';

const MINUTE_MS = 60_000;
const NARROW = { width: 360, height: 740 };

const silentAt = (client_id: string, target = 'https://a/') => ({
  client_id,
  target,
  last: thisMinute() - 12 * MINUTE_MS,
});

test('the first screen begins with the open incidents', async ({ page, up }) => {
  const netqoe = await up();
  const incidents = Array.from({ length: 7 }, (_, index) =>
    openSince(9 * (7 - index), {
      id: idOf(index),
      sentence: `Target t-${index} is slow to answer for 12 of 14 clients`,
    }),
  );
  incidents[1] = { ...incidents[1]!, acknowledged: { at: thisMinute(), by: 'anna' } };
  incidents[2] = { ...incidents[2]!, planned: true };
  const silent = ['https://a/', 'https://b/'].map((target) => silentAt('probe-07', target));
  await makeUp(page, { incidents, silent: [...silent, silentAt('probe-08')] });
  await page.goto(netqoe.origin);

  const sentence = page.getByTestId('sentence');
  await expect(sentence).toContainText(/^Target t-0 is slow to answer for 12 of 14 clients since /);
  await expect(page.getByTestId('silent')).toContainText(/probe-07 has not reported since [^:]+:\d\d: 2 pairs/);
  const items = page.getByTestId('incident');
  await expect(items).toHaveCount(5);
  await expect(items.first()).toContainText(
    /since .*, 1 h \d+ min.*12 of 14 pairs.*14 pairs of 14 clients and 1 target/,
  );
  await expect(items.nth(1)).toContainText('acknowledged by anna');
  await expect(items.nth(2)).toContainText('planned');
  await page.getByRole('button', { name: '2 more incidents' }).click();
  await expect(items).toHaveCount(7);

  await expect(page.getByTestId('facts')).toContainText('3 unmeasured');
  await expect(page.getByRole('group', { name: 'Legend and filters' })).toContainText('unmeasured 3');
  await tabToMatrix(page);
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowRight');
  await expect(page.getByTestId('matrix-readout')).toContainText(/probe-07 → .*unmeasured/);

  const bars = page.getByTestId('incident-timeline').getByRole('list').getByRole('link');
  await expect(bars).toHaveCount(7);
  await bars.first().focus();
  await page.keyboard.press('ArrowRight');
  await expect(bars.nth(1)).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(page.getByTestId('incident-title')).toContainText('Target t-1 is slow to answer');
  expect(new URL(page.url()).search).toBe(`?incident=${idOf(1)}`);
  await page.keyboard.press('Escape');
  await sentence.getByRole('link').click();
  await expect(page.getByTestId('incident-title')).toContainText('Target t-0 is slow to answer');
});

test('while nothing is wrong, the page says when it last was', async ({ page, up }) => {
  const netqoe = await up();
  await makeUp(page, { incidents: [], silent: [] });
  await page.goto(netqoe.origin);
  await expect(page.getByTestId('sentence')).toHaveText('The only pair is as usual');
  await expect(page.getByTestId('last-closed')).toContainText(/The last incident ended at \d/);
  await expect(page.getByTestId('incident-timeline')).toContainText('no incident in this range');
  await expect(page.getByTestId('incidents')).toHaveCount(0);
});

test('an incident tells what it was, and takes notes', async ({ page, up }) => {
  const netqoe = await up();
  const incident = openSince(10, { id: idOf(1) });
  const of = { cause: incident.cause, severity: 'major', degraded: 12, state: 'open', because: null } as const;
  const narrow = { dimension: 'client' as const, value: ['probe-07'] };
  const [first, second] = [incident.opened + MINUTE_MS, incident.opened + 2 * MINUTE_MS];
  const sent = await makeUp(page, {
    incidents: [incident],
    silent: [],
    detail: {
      revisions: [
        { revision: 0, at: first, change: 'opened', ...of, cause: narrow },
        { revision: 1, at: second, change: 'cause', ...of },
      ],
      notes: [],
    },
    pairs: ['well', 'probe-07'].map((client_id) => ({
      client_id,
      target: 'https://t-7/',
      since: incident.opened,
      until: incident.last,
      severity: 'major',
    })),
  });
  await page.goto(`${netqoe.origin}/?incident=${incident.id}&tables=1`);
  await expect(page.getByTestId('incident-facts')).toContainText('now: 12 of 14 pairs degraded, 85.7 %; 2 healthy');
  await expect(page.getByTestId('revisions').getByRole('listitem')).toHaveText([
    /opened: client probe-07, major, 12 pairs$/,
    /cause amended from client probe-07 to target t-7$/,
  ]);
  await expect(page.getByTestId('incident-pairs').locator('tbody tr')).toHaveCount(2);
  await expect(page.getByTestId('before-and-during')).toContainText('TTFB, median to 95th percentile');
  const members = page.getByTestId('chart').filter({ hasText: 'Pairs that had it' }).getByTestId('chart-table');
  await expect(members.locator('tbody tr').first().locator('td')).toHaveText('2');

  await page.getByLabel('Your name').fill('anna');
  await page.getByRole('button', { name: 'Acknowledge' }).click();
  await expect(page.getByTestId('notes')).toContainText('anna acknowledged');
  await expect(page.getByRole('button', { name: 'Acknowledge' })).toHaveCount(0);
  await page.getByRole('textbox', { name: 'Note' }).fill('the provider knows');
  await page.getByRole('button', { name: 'Add note' }).click();
  await expect(page.getByTestId('notes').getByRole('listitem')).toHaveCount(2);
  await expect(page.getByRole('textbox', { name: 'Note' })).toHaveValue('');
  expect(sent).toEqual([
    { method: 'POST', path: `/api/v1/incidents/${incident.id}/notes`, body: noteOf('', true) },
    { method: 'POST', path: `/api/v1/incidents/${incident.id}/notes`, body: noteOf('the provider knows', false) },
  ]);

  await page.getByRole('link', { name: 'What is different during it' }).click();
  const asked = new URL(page.url()).searchParams;
  expect(Number(asked.get('inside_from'))).toBe(incident.opened);
  expect(Number(asked.get('from'))).toBeLessThan(incident.opened);
  expect(asked.get('incident')).toBe(null);
});

function noteOf(text: string, acknowledges: boolean) {
  return { text, by: 'anna', acknowledges };
}

test('maintenance is planned for an incident, and taken away', async ({ page, up }) => {
  const netqoe = await up();
  const incident = openSince(10, { id: idOf(1) });
  const sent = await makeUp(page, { incidents: [incident], silent: [] });
  await page.goto(`${netqoe.origin}/?incident=${incident.id}`);
  await page.getByRole('link', { name: 'Was it planned?' }).click();
  await page.getByLabel('Why').fill('new certificates');
  await page.getByRole('button', { name: 'Plan it' }).click();
  const rows = page.getByTestId('maintenance').locator('tbody tr');
  await expect(rows).toHaveText(/target t-7new certificates.*goes on/);
  const [planned] = sent;
  expect(planned).toMatchObject({
    method: 'POST',
    path: '/api/v1/maintenance',
    body: { from: incident.opened, cause: incident.cause, text: 'new certificates' },
  });
  await page.getByRole('button', { name: /^Take away: target/ }).click();
  await page.getByRole('button', { name: /^Really take away: target/ }).click();
  await expect(page.getByRole('main')).toContainText('No maintenance is planned, and none was.');
  expect(sent.at(-1)).toMatchObject({ method: 'DELETE', path: '/api/v1/maintenance/1' });
});

for (const colorScheme of ['light', 'dark'] as const) {
  test.describe(colorScheme, () => {
    test.use({ colorScheme, viewport: NARROW });

    test('hostile names are text, fit a narrow screen, and axe-core finds nothing serious', async ({ page, up }) => {
      const netqoe = await up();
      const incidents = NAMES.map((name, index) =>
        openSince(3 * index + 3, {
          id: idOf(index),
          cause: { dimension: 'isp×target', value: [name, name] },
          sentence: `Target ${name} is slow to answer for 12 of 14 clients of provider ${name}`,
          severity: (['minor', 'major', 'critical'] as const)[index % 3] ?? 'minor',
          acknowledged: index % 2 === 0 ? { at: thisMinute(), by: name } : null,
          peak_severity: (['minor', 'major', 'critical'] as const)[index % 3] ?? 'minor',
        }),
      );
      const first = incidents[0]!;
      const since = { since: first.opened, until: first.last, severity: 'minor' as const };
      await makeUp(page, {
        incidents,
        silent: NAMES.map((name) => silentAt(name, name)),
        detail: {
          revisions: incidents.map(({ cause }, revision) => ({
            revision,
            at: first.opened,
            change: 'cause',
            cause,
            severity: 'minor',
            degraded: 3,
            state: 'open' as const,
            because: null,
          })),
          notes: NAMES.map((name, id) => ({ id, at: first.opened, by: name, text: name, acknowledges: false })),
        },
        pairs: NAMES.map((name) => ({ client_id: name, target: name, ...since })),
      });
      for (const [query, ready] of [
        ['tables=1', 'incident-timeline'],
        [`incident=${first.id}`, 'incident-pairs'],
        [`view=maintenance&incident=${first.id}`, 'maintenance-form'],
      ]) {
        await page.goto(`${netqoe.origin}/?${query}`);
        await expect(page.getByTestId(ready!)).toBeVisible();
        await nothingRan(page);
        expect.soft(await graveFindings(page), query).toEqual([]);
        const width = await page.evaluate(() => document.documentElement.scrollWidth);
        expect.soft(width, query).toBeLessThanOrEqual(NARROW.width);
      }
    });
  });
}

// The first screen: who is hurt, since when, why.

import { answers } from './support/api.ts';
import { CLIENTS, faultsOf, slowServerOf, TARGETS, within, type Fault } from './support/faults.ts';
import { expect, test } from './support/test.ts';

test('the sentence names a slow server, in the moment when it was', async ({ page, demo }) => {
  const fault = await slowServerOf(demo);
  const range = within(fault);
  await page.goto(`${demo.origin}/?from=${range.from}&to=${range.to}`);
  const sentence = page.getByTestId('sentence');
  const name = new URL(fault.target).host;
  await expect(sentence).toContainText(`Target ${fault.target} was slow to answer for ${CLIENTS} clients from `);
  await expect(page.getByTestId('incident')).toHaveCount(1);
  await expect(page.getByTestId('incident')).toContainText(fault.label);

  const { pairs, targets } = await answers.overview(demo, range);
  expect(targets).toEqual({ total: TARGETS, degraded: 1 });
  expect(pairs.total).toBe(CLIENTS * TARGETS);
  const judged = pairs.healthy + pairs.degraded;
  await expect(page.getByTestId('facts')).toContainText(`${pairs.healthy} healthy, ${pairs.degraded} degraded`);
  await expect(page.getByTestId('healthy-share')).toHaveText(`${((100 * pairs.healthy) / judged).toFixed(1)} %`);
  await expect(page.getByTestId('group').first()).toContainText(name);
  await expect(page.getByTestId('group').first()).toContainText(fault.label);

  const score = page.getByTestId('score');
  await expect(score).toContainText(/^Score of all pairs in this range \d/);
  await score.getByRole('button', { name: 'What is this?' }).click();
  await expect(score).toContainText('100 · (satisfied + tolerated / 2) / measurements');
  await expect(score).toContainText('outcome = min(latency, loss)');
  await page.keyboard.press('Escape');
  await expect(score.getByRole('heading')).toBeHidden();

  await sentence.getByRole('link').click();
  await expect(page.getByTestId('incident-title')).toContainText(fault.target);
  await expect(page.getByTestId('incident-facts')).toContainText(`${CLIENTS} pairs of ${CLIENTS} clients and 1 target`);
  await expect(page.getByTestId('incident-pairs')).toContainText('demo-');
  await expect(page.getByTestId('revisions')).toContainText(`opened: target ${name}`);
});

test('the sentence names the provider of the fault that the demo opens with', async ({ page, demo }) => {
  const fault = (await faultsOf(demo)).at(-1) as Fault;
  const { from, to } = within(fault);
  await page.goto(`${demo.origin}/?from=${from}&to=${to}`);
  const sentence = page.getByTestId('sentence');
  await expect(sentence).toContainText(`Provider ${fault.place.isp}: name resolution `);
  await expect(sentence).toContainText(' pairs of 5 clients');
});

test('what is over is told as it was, on every view', async ({ page, demo }) => {
  const fault = await slowServerOf(demo);
  const { from, to } = within(fault);
  const open = (query: Record<string, string>) =>
    page.goto(`${demo.origin}/?${new URLSearchParams({ ...query, from: String(from), to: String(to) })}`);
  await open({});
  await expect(page.getByTestId('sentence')).toContainText('was slow to answer');
  await expect(page.getByTestId('incidents')).toContainText('Incidents at that time');
  await expect(page.getByTestId('diagnoses')).toContainText('Diagnoses at ');
  await open({ view: 'target', target: fault.target });
  await expect(page.getByTestId('compare-sentence')).toContainText(
    `${CLIENTS} of ${CLIENTS} clients were degraded at the end of this range, all ${fault.label}`,
  );
  await open({ view: 'pair', client: 'demo-07', target: fault.target });
  await expect(page.getByTestId('pair-now')).toContainText(/^at \d\d:\d\d/);
});

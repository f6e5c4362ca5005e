// The first screen: who is hurt, since when, why.

import { answers } from './support/api.ts';
import { CLIENTS, faultsOf, TARGETS, within } from './support/faults.ts';
import { expect, test } from './support/test.ts';

test('the sentence names each planted fault, in the moment when it was', async ({ page, demo }) => {
  for (const fault of await faultsOf(demo)) {
    const range = within(fault);
    await page.goto(`${demo.origin}/?from=${range.from}&to=${range.to}`);
    const sentence = page.getByTestId('sentence');
    const name = new URL(fault.target).host;
    await expect(sentence, `the fault at ${name}`).toContainText(`${fault.label} at ${name}`);
    await expect(sentence).toContainText(new RegExp(`^1 of ${TARGETS} targets (is|was) degraded .*since `));

    const { pairs, targets } = await answers.overview(demo, range);
    expect(targets).toEqual({ total: TARGETS, degraded: 1 });
    expect(pairs.total).toBe(CLIENTS * TARGETS);
    const judged = pairs.healthy + pairs.degraded;
    await expect(page.getByTestId('facts')).toContainText(`${pairs.healthy} healthy, ${pairs.degraded} degraded`);
    await expect(page.getByTestId('healthy-share')).toHaveText(`${((100 * pairs.healthy) / judged).toFixed(1)} %`);
    await expect(page.getByTestId('group').first()).toContainText(name);
    await expect(page.getByTestId('group').first()).toContainText(fault.label);
  }
});

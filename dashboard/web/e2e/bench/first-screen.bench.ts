// How soon the first screen can be used, over a day of 100 clients and 20 targets, and what it transfers.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Process } from '../support/process.ts';
import { expect, test } from '../support/test.ts';
import { transferred } from '../support/transferred.ts';

/** Fresh browsers: nothing is cached. */
const LOADS = 11;
const RANGES = ['1h', '24h'];
/** A store that `netqoe bench query` has filled; by default a new one. */
const STORE = process.env['NETQOE_BENCH_STORE'];

test('first screen', async ({ browser }) => {
  const folder = await mkdtemp(join(tmpdir(), 'netqoe-bench-'));
  const store = STORE ?? `sqlite:${join(folder, 'day.db')}`;
  const netqoe = await Process.run(['bench', 'query', '--show', '--database-url', store], folder);
  console.log(`\n| range | usable after, median ms | longest of ${LOADS}, ms | files, KB | answers, KB |`);
  console.log('| --- | --- | --- | --- | --- |');
  for (const range of RANGES) {
    const times: number[] = [];
    let weight = { files: 0, answers: 0 };
    for (let load = 0; load < LOADS; load++) {
      const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
      const page = await context.newPage();
      await page.addInitScript(noteWhenUsable);
      await page.goto(`${netqoe.origin}/?range=${range}`, { waitUntil: 'commit' });
      const usable = await page.waitForFunction(() => (globalThis as { usable_ms?: number }).usable_ms);
      times.push((await usable.jsonValue()) as number);
      await expect(page.getByTestId('matrix')).toBeVisible();
      weight = await transferred(page);
      await context.close();
    }
    times.sort((a, b) => a - b);
    const [median, longest] = [times[LOADS >> 1] ?? 0, times.at(-1) ?? 0];
    const kb = (bytes: number) => (bytes / 1000).toFixed(0);
    console.log(
      `| ${range} | ${median.toFixed(0)} | ${longest.toFixed(0)} | ${kb(weight.files)} | ${kb(weight.answers)} |`,
    );
  }
  await netqoe.stop();
  await rm(folder, { recursive: true });
});

/** From the navigation's start to the first frame with the sentence and a matrix that is drawn. */
function noteWhenUsable(): void {
  const look = () => {
    const canvas = document.querySelector<HTMLCanvasElement>('[data-testid=matrix] canvas');
    const isThere = document.querySelector('[data-testid=sentence]') && canvas && canvas.style.width !== '';
    if (isThere) Object.assign(globalThis, { usable_ms: performance.now() });
    else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}

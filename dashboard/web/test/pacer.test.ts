import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { pacer } from '../src/state/pacer.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A task that takes a while, and when it was started. */
function task(takes_ms: number) {
  const began = performance.now();
  const starts: number[] = [];
  const run = async () => {
    starts.push(performance.now() - began);
    await new Promise((done) => setTimeout(done, takes_ms));
  };
  return { starts, run };
}

test('the first wish is fulfilled at once, the next ones together after the spacing', async () => {
  const { starts, run } = task(10);
  const asking = pacer(run, 600);
  asking.wish();
  await vi.advanceTimersByTimeAsync(50);
  for (let wish = 0; wish < 5; wish++) asking.wish();
  await vi.advanceTimersByTimeAsync(5_000);
  expect(starts).toEqual([0, 600]);
});

test('never two at a time, and a wish during a task is not forgotten', async () => {
  const { starts, run } = task(1_000);
  const asking = pacer(run, 600);
  asking.wish();
  await vi.advanceTimersByTimeAsync(500);
  asking.wish();
  await vi.advanceTimersByTimeAsync(20_000);
  // A task of one second is followed by a rest: four seconds from start to start.
  expect(starts).toEqual([0, 4_000]);
});

test('after the end nothing is started', async () => {
  const { starts, run } = task(10);
  const asking = pacer(run, 600);
  asking.wish();
  asking.stop();
  asking.wish();
  await vi.advanceTimersByTimeAsync(5_000);
  expect(starts).toEqual([]);
});

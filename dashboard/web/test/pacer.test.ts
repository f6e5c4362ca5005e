import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

import { pacer, pauseAfter, type Pace } from '../src/state/pacer.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const PACE: Pace = { spacing_ms: 500, kept_ms: 0 };
const SHARED: Pace = { spacing_ms: 500, kept_ms: 550 };

/** A task that takes a while, and when it was started. */
function task(takes_ms: number) {
  const began = performance.now();
  const starts: number[] = [];
  const run = async () => {
    starts.push(performance.now() - began);
    await new Promise((done) => setTimeout(done, takes_ms));
    return null;
  };
  return { starts, run };
}

test('the first wish is fulfilled at once, the next ones together after the spacing', async () => {
  const { starts, run } = task(10);
  const asking = pacer(run, PACE);
  asking.wish();
  await vi.advanceTimersByTimeAsync(50);
  for (let wish = 0; wish < 5; wish++) asking.wish();
  await vi.advanceTimersByTimeAsync(5_000);
  expect(starts).toEqual([0, 500]);
});

test('never two at a time, and a wish during a task is not forgotten', async () => {
  const { starts, run } = task(1_000);
  const asking = pacer(run, PACE);
  asking.wish();
  await vi.advanceTimersByTimeAsync(500);
  asking.wish();
  await vi.advanceTimersByTimeAsync(20_000);
  // A task of one second is followed by a rest.
  expect(starts).toEqual([0, pauseAfter(1_000, PACE)]);
});

test('after the end nothing is started', async () => {
  const { starts, run } = task(10);
  const asking = pacer(run, PACE);
  asking.wish();
  asking.stop();
  asking.wish();
  await vi.advanceTimersByTimeAsync(5_000);
  expect(starts).toEqual([]);
});

describe('a task that wants to be run again', () => {
  /** One that is refused so many times, for so long each time. */
  function refused(times: number, again_ms: number) {
    const began = performance.now();
    const starts: number[] = [];
    const run = async () => {
      starts.push(performance.now() - began);
      return starts.length <= times ? again_ms : null;
    };
    return { starts, run };
  }

  test('is, by itself, and wishes do not hasten it', async () => {
    const { starts, run } = refused(2, 3_000);
    const asking = pacer(run, PACE);
    asking.wish();
    for (let wish = 0; wish < 10; wish++) {
      await vi.advanceTimersByTimeAsync(100);
      asking.wish();
    }
    await vi.advanceTimersByTimeAsync(60_000);
    expect(starts).toEqual([0, 3_000, 6_000]);
  });

  test('is run at once when it is urged', async () => {
    const { starts, run } = refused(1, 30_000);
    const asking = pacer(run, PACE);
    asking.wish();
    await vi.advanceTimersByTimeAsync(700);
    asking.urge();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(starts).toEqual([0, 700]);
  });

  test('is not after the end', async () => {
    const { starts, run } = refused(9, 1_000);
    const asking = pacer(run, PACE);
    asking.wish();
    await vi.advanceTimersByTimeAsync(500);
    asking.stop();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(starts).toEqual([0]);
  });
});

describe('what is new is there within a second', () => {
  test.each([
    [10, PACE],
    [200, PACE],
    [400, PACE],
    [10, SHARED],
    [200, SHARED],
  ])('where an answer takes %d ms at %j', async (takes_ms, pace) => {
    const { starts, run } = task(takes_ms);
    const asking = pacer(run, pace);
    const wishes: number[] = [];
    for (let at = 0; at < 10_000; at += 37) {
      wishes.push(at);
      asking.wish();
      await vi.advanceTimersByTimeAsync(37);
    }
    await vi.advanceTimersByTimeAsync(5_000);
    const waits = wishes.map((wish) => (starts.find((start) => start >= wish) ?? Infinity) + takes_ms - wish);
    expect(Math.max(...waits)).toBeLessThanOrEqual(1_000);
  });
});

test('an answer that the server keeps is not asked for again meanwhile', () => {
  for (const took_ms of [1, 100, 400]) expect(pauseAfter(took_ms, SHARED)).toBeGreaterThanOrEqual(took_ms + 550);
});

test('the slower an answer is, the smaller is the share of the time that it is asked for', () => {
  const share = (took_ms: number) => took_ms / pauseAfter(took_ms, PACE);
  expect(share(1_000)).toBeLessThan(0.2);
  expect(share(500)).toBeLessThan(share(400));
  for (let took_ms = 500; took_ms < 10_000; took_ms += 100) expect(share(took_ms + 100)).toBeLessThan(share(took_ms));
});

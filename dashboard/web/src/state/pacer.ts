// When to ask again: at once, but neither too often nor twice at a time, and never forgetting the last wish.

export interface Pacer {
  /** Runs the task now, or as soon as it may run. */
  wish(): void;
  stop(): void;
}

export interface Pace {
  /** The least time from start to start. */
  spacing_ms: number;
  /** For so long after it was made, the server gives the same answer again: there is no use in asking. */
  kept_ms: number;
}

/** A task that takes no longer than this costs little. */
const QUICK_MS = 400;
/** What it takes longer is rested from so many times: a slow server is asked less often. */
const REST = 8;

/** From the start of a task to the next one, by how long it took. */
export function pauseAfter(took_ms: number, { spacing_ms, kept_ms }: Pace): number {
  return Math.max(spacing_ms, took_ms + kept_ms, spacing_ms + REST * (took_ms - QUICK_MS));
}

export function pacer(task: () => Promise<void>, pace: Pace): Pacer {
  let wished = false;
  let busy = false;
  let stopped = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let mayStart = -Infinity;

  const run = async () => {
    timer = undefined;
    wished = false;
    busy = true;
    const start = performance.now();
    await task();
    busy = false;
    mayStart = start + pauseAfter(performance.now() - start, pace);
    if (wished) plan();
  };
  const plan = () => {
    if (stopped || busy || timer !== undefined) return;
    timer = setTimeout(() => void run(), Math.max(0, mayStart - performance.now()));
  };
  return {
    wish: () => {
      wished = true;
      plan();
    },
    stop: () => {
      stopped = true;
      clearTimeout(timer);
    },
  };
}

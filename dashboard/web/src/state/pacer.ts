// When to ask again: at once, but neither too often nor twice at a time, and never forgetting the last wish.

export interface Pacer {
  /** Runs the task now, or as soon as it may run. */
  wish(): void;
  /** Runs it now, whatever the last run said. */
  urge(): void;
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

/** A task that gives a time wants to be run again by itself after it, and not before; null: it waits for a wish. */
export function pacer(task: () => Promise<number | null>, pace: Pace): Pacer {
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
    const again_ms = await task();
    const end = performance.now();
    busy = false;
    mayStart = Math.max(start + pauseAfter(end - start, pace), end + (again_ms ?? 0));
    if (again_ms !== null) wished = true;
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
    urge: () => {
      wished = true;
      clearTimeout(timer);
      timer = undefined;
      mayStart = -Infinity;
      plan();
    },
    stop: () => {
      stopped = true;
      clearTimeout(timer);
    },
  };
}

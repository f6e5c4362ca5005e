// When to ask again: at once, but neither too often nor twice at a time, and never forgetting the last wish.

export interface Pacer {
  /** Runs the task now, or as soon as it may run. */
  wish(): void;
  stop(): void;
}

/** From start to start at least `spacing_ms`, and four times as long as the task took: a slow server is asked less often. */
const REST = 4;

export function pacer(task: () => Promise<void>, spacing_ms: number): Pacer {
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
    const took = performance.now() - start;
    busy = false;
    mayStart = start + Math.max(spacing_ms, took * REST);
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

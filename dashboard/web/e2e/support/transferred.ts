// What the browser says that it has transferred for the present page, headers included.

import type { Page } from '@playwright/test';

export function transferred(page: Page): Promise<{ files: number; answers: number }> {
  return page.evaluate(() => {
    const entries = ['navigation', 'resource'].flatMap((type) => performance.getEntriesByType(type));
    const sum = (ofApi: boolean) =>
      entries
        .filter(({ name }) => new URL(name).pathname.startsWith('/api/') === ofApi)
        .reduce((bytes, entry) => bytes + (entry as PerformanceResourceTiming).transferSize, 0);
    return { files: sum(false), answers: sum(true) };
  });
}

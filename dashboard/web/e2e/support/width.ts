// What fits the width of the window.

import { expect, type Page } from '@playwright/test';

/** Waits until nothing is wider than that: charts take a new width a moment after the window has it. */
export async function fits(page: Page, width: number): Promise<void> {
  await expect.poll(() => page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
}

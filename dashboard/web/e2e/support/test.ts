// What every test has: servers that are gone after it, and a page on which nothing may go wrong unseen.

import { test as base, expect, type Page } from '@playwright/test';

import { digested } from './faults.ts';
import { Netqoe } from './netqoe.ts';

/** Starts `netqoe up` with these options; it is gone after the test. */
type Up = (...options: string[]) => Promise<Netqoe>;

interface OfTest {
  up: Up;
  watch: Watch;
}

interface OfWorker {
  /** `up --demo`, shared by tests that leave it as it is. */
  demo: Netqoe;
}

export const test = base.extend<OfTest, OfWorker>({
  demo: [
    async ({}, use) => {
      const netqoe = await Netqoe.up('--demo');
      await digested(netqoe);
      await use(netqoe);
      await netqoe.remove();
    },
    { scope: 'worker' },
  ],
  up: async ({}, use) => {
    const started: Netqoe[] = [];
    await use(async (...options) => {
      const netqoe = await Netqoe.up(...options);
      started.push(netqoe);
      return netqoe;
    });
    for (const netqoe of started) await netqoe.remove();
  },
  watch: [
    // After `up`, so that this ends before the servers do: then the page has nothing to complain of.
    async ({ page, up: _ }, use) => {
      const watch = new Watch();
      await watch.over(page);
      await use(watch);
      expect(watch.unexpected(), 'nothing went wrong on the page').toEqual([]);
    },
    { auto: true },
  ],
});

/** Notes what must not happen: errors, dialogs, scripts or styles that the policy forbids, requests to anybody else. */
export class Watch {
  private readonly seen: string[] = [];
  private readonly expected: RegExp[] = [];

  /** From now on such a note is what the test provokes. */
  expect(pattern: RegExp): void {
    this.expected.push(pattern);
  }

  unexpected(): string[] {
    return this.seen.filter((note) => !this.expected.some((pattern) => pattern.test(note)));
  }

  async over(page: Page): Promise<void> {
    const note = (text: string) => this.seen.push(text);
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') note(`console: ${message.text()}`);
    });
    page.on('pageerror', (error) => note(`exception: ${error.message}`));
    page.on('dialog', (dialog) => {
      note(`dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    page.on('request', (request) => {
      const { origin, protocol } = new URL(request.url());
      const own = request.isNavigationRequest()
        ? new URL(request.url()).hostname === '127.0.0.1'
        : origin === new URL(page.url()).origin;
      if (!own && protocol !== 'data:') note(`request to ${request.url()}`);
    });
    page.on('websocket', (socket) => note(`socket to ${socket.url()}`));
    await page.addInitScript(() => {
      document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) =>
        console.error(`policy ${violatedDirective} violated by ${blockedURI}`),
      );
    });
  }
}

export { expect };

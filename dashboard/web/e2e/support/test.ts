// What every test has: servers that are gone after it, and a page on which nothing may go wrong unseen.

import { test as base, expect, type Page } from '@playwright/test';

import { Cluster } from './cluster.ts';
import { digested } from './faults.ts';
import type { Netqoe } from './netqoe.ts';
import { Up } from './up.ts';

/** Starts a netqoe with these options; it is gone after the test. */
type Start = (...options: string[]) => Promise<Netqoe>;

interface OfTest {
  up: Start;
  watch: Watch;
}

export interface OfWorker {
  /** What rows are kept in. */
  store: 'sqlite' | 'postgres';
  /** One with the history of `up --demo`, shared by tests that leave it as it is. */
  demo: Netqoe;
}

export const test = base.extend<OfTest, OfWorker>({
  store: ['sqlite', { scope: 'worker', option: true }],
  demo: [
    async ({ store }, use) => {
      const netqoe = await (store === 'sqlite' ? Up.start('--demo') : Cluster.demo());
      try {
        await digested(netqoe, store === 'sqlite');
        await use(netqoe);
      } finally {
        await netqoe.remove();
      }
    },
    { scope: 'worker' },
  ],
  up: async ({ store }, use) => {
    const started: Netqoe[] = [];
    await use(async (...options) => {
      const netqoe = await (store === 'sqlite' ? Up.start(...options) : Cluster.start(options));
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
  /** A server on a busy machine asks to be asked later, and the page does so. What then never comes, the test misses. */
  private readonly expected: RegExp[] = [/^console: Failed to load resource: .* status of 503 /];

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

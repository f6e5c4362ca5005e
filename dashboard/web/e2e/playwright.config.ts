// The page in Debian's Chromium, before a netqoe that the tests start. `npm run e2e`; NETQOE_PROGRAM names the program.

import { defineConfig, type Project } from '@playwright/test';

import { NATS_URL, OUTPUT, POSTGRES_URL } from './support/output.ts';
import type { OfWorker } from './support/test.ts';

/** Correctness never depends on the machine's speed: whatever is waited for may take this long. */
const PATIENCE_MS = 60_000;

type OnStore = Project<object, OfWorker>;
const SQLITE: OnStore = { name: 'sqlite', testMatch: '*.spec.ts', use: { store: 'sqlite' } };
/** Tests of what stands on the page because it is in the store, which are marked so. */
const POSTGRES: OnStore = { name: 'postgres', testMatch: '*.spec.ts', grep: /@store/, use: { store: 'postgres' } };

export default defineConfig<object, OfWorker>({
  testDir: '.',
  projects: POSTGRES_URL && NATS_URL ? [SQLITE, POSTGRES] : [SQLITE],
  outputDir: `${OUTPUT}/results`,
  // `cargo xtask test` counts the flaky tests in the second.
  reporter: [['list'], ['json', { outputFile: `${OUTPUT}/report.json` }]],
  // As with nextest: a test that fails is tried once more. If it passes then, the run passes, and names it as flaky.
  retries: 1,
  // Each has servers and a browser of its own. Tests wait for what they expect, however long another takes the machine.
  workers: 2,
  forbidOnly: true,
  timeout: 5 * PATIENCE_MS,
  expect: { timeout: PATIENCE_MS },
  use: {
    viewport: { width: 1440, height: 900 },
    // Not the machine's: what is shown in the viewer's zone is to be seen, wherever tests run.
    locale: 'en-GB',
    timezoneId: 'Europe/Berlin',
    actionTimeout: PATIENCE_MS,
    navigationTimeout: PATIENCE_MS,
    trace: 'on-first-retry',
    screenshot: 'only-on-failure',
    launchOptions: {
      executablePath: '/usr/bin/chromium',
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    },
  },
});

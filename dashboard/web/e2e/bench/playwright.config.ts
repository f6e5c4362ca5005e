// `npm run bench`: measures the page, and prints tables for benchmarks/NOTES.md.

import { defineConfig } from '@playwright/test';

import tests from '../playwright.config.ts';

/** Stores are filled first. */
const TIMEOUT_MS = 20 * 60_000;

export default defineConfig({ ...tests, testDir: '.', projects: [{ testMatch: '*.bench.ts' }], timeout: TIMEOUT_MS });

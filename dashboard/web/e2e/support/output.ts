// Where the tests leave what they have seen, and what they start and find.

import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));

export const OUTPUT = `${ROOT}target/e2e`;
export const PROGRAM = process.env['NETQOE_PROGRAM'] ?? `${ROOT}target/debug/netqoe`;
/** Where README.md has its pictures, when they are to be made anew. */
export const IMAGES = process.env['NETQOE_IMAGES'];
/** Servers that tests share, which `cargo xtask test` starts: a superuser of PostgreSQL, and NATS with JetStream. */
export const POSTGRES_URL = process.env['NETQOE_TEST_POSTGRES_URL'];
export const NATS_URL = process.env['NETQOE_TEST_NATS_URL'];

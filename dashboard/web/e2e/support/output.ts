// Where the tests leave what they have seen, and where the program is that they start.

import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));

export const OUTPUT = `${ROOT}target/e2e`;
export const PROGRAM = process.env['NETQOE_PROGRAM'] ?? `${ROOT}target/debug/netqoe`;
/** Where README.md has its pictures, when they are to be made anew. */
export const IMAGES = process.env['NETQOE_IMAGES'];

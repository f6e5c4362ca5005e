// `netqoe up`: log and store are one SQLite file in a temporary folder.

import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Netqoe } from './netqoe.ts';
import { PROGRAM } from './output.ts';
import { Process } from './process.ts';

/** All events of a log, in memory. */
const MOST_BYTES = 100_000_000;

export class Up implements Netqoe {
  private constructor(
    private readonly process: Process,
    private readonly folder: string,
  ) {}

  /** Starts it with these further options, and waits until it takes requests. */
  static async start(...options: string[]): Promise<Up> {
    const folder = await mkdtemp(join(tmpdir(), 'netqoe-e2e-'));
    return new Up(await Process.serve(['up', '--data', join(folder, 'data'), ...options], folder), folder);
  }

  get origin(): string {
    return this.process.origin;
  }

  get ingest(): string {
    return this.process.origin;
  }

  start(): Promise<void> {
    return this.process.start();
  }

  stop(): Promise<void> {
    return this.process.stop();
  }

  async append(line: string): Promise<void> {
    const hex = Buffer.from(line).toString('hex');
    const record = `SELECT 0, ${Date.now()}, coalesce(max(end_byte), 0) + ${hex.length / 2}, X'${hex}' FROM log_records`;
    this.sql(`INSERT INTO log_records (partition, log_time, end_byte, lines) ${record}`);
    // Nobody has computed its checksum: it counts as one from before there were any.
    this.sql('UPDATE log_checksums SET first_seq = (SELECT max(seq) + 1 FROM log_records)');
  }

  sql(statement: string): void {
    execFileSync('sqlite3', [join(this.folder, 'data', 'netqoe.db'), statement]);
  }

  /** The events of its log, one a line. */
  export(): Buffer {
    const command = ['log', 'export', '--data', join(this.folder, 'data')];
    return execFileSync(PROGRAM, command, { cwd: this.folder, env: {}, maxBuffer: MOST_BYTES, stdio: 'pipe' });
  }

  async remove(): Promise<void> {
    await this.stop();
    await rm(this.folder, { recursive: true });
  }
}

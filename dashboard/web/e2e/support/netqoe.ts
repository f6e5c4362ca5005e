// A running netqoe: on a free port of loopback, with its data in a temporary folder, stopped by its process id.

import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import { PROGRAM } from './output.ts';

/** What a netqoe logs once it takes requests, before its port. */
const LISTENING = /listening on http:\/\/127\.0\.0\.1:(\d+)/;
/** Lines of a log that tell what its process was about. */
const LAST_LINES = 12;

export class Netqoe {
  private readonly log: string[] = [];
  private process: ChildProcess | null = null;
  private port = 0;

  private constructor(
    private readonly command: string[],
    private readonly folder: string,
  ) {}

  /** Starts `up` with these further options, and waits until it takes requests. */
  static async up(...options: string[]): Promise<Netqoe> {
    const folder = await mkdtemp(join(tmpdir(), 'netqoe-e2e-'));
    const netqoe = new Netqoe(['up', '--data', join(folder, 'data'), ...options], folder);
    await netqoe.start(0);
    return netqoe;
  }

  /** Starts another command that listens on a free port by itself, and waits likewise. */
  static async run(...command: string[]): Promise<Netqoe> {
    const netqoe = new Netqoe(command, await mkdtemp(join(tmpdir(), 'netqoe-e2e-')));
    await netqoe.launch([]);
    return netqoe;
  }

  /** Does to log and store, which are one file, what no request does. */
  sql(statement: string): void {
    execFileSync('sqlite3', [join(this.folder, 'data', 'netqoe.db'), statement]);
  }

  get origin(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Starts it where it was stopped: on the same port and data. */
  start(port = this.port): Promise<void> {
    return this.launch(['--port', String(port)]);
  }

  private async launch(options: string[]): Promise<void> {
    // Neither a configuration file nor variables of whoever runs the tests.
    const child = spawn(PROGRAM, [...this.command, ...options], {
      cwd: this.folder,
      env: {},
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.process = child;
    const ended = once(child, 'exit').then(() => {
      throw new Error(`netqoe ended early: ${this.log.slice(-LAST_LINES).join(' | ')}`);
    });
    const listening = new Promise<number>((resolve) => {
      createInterface({ input: child.stderr }).on('line', (line) => {
        this.log.push(line);
        const port = LISTENING.exec(line)?.[1];
        if (port !== undefined) resolve(Number(port));
      });
    });
    // Ends as well when it is stopped later, and nobody waits for that then.
    ended.catch(() => undefined);
    this.port = await Promise.race([listening, ended]);
  }

  /** Ends it in good order. */
  async stop(): Promise<void> {
    const child = this.process;
    this.process = null;
    if (!child || child.exitCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    await ended;
  }

  async remove(): Promise<void> {
    await this.stop();
    await rm(this.folder, { recursive: true });
  }
}

// A process of netqoe that listens on loopback, stopped by its process id.

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

import { PROGRAM } from './output.ts';

/** What a netqoe logs once it takes requests, before its port. */
const LISTENING = /listening on http:\/\/127\.0\.0\.1:(\d+)/;
/** Lines of a log that tell what its process was about. */
const LAST_LINES = 12;

export class Process {
  private readonly log: string[] = [];
  private child: ChildProcess | null = null;

  private constructor(
    private readonly command: string[],
    private readonly folder: string,
    private port: number,
  ) {}

  /** A command that listens on a free port by itself, in this folder. */
  static async run(command: string[], folder: string): Promise<Process> {
    const process = new Process(command, folder, 0);
    await process.launch([]);
    return process;
  }

  /** A command that is told its port: first a free one. */
  static async serve(command: string[], folder: string): Promise<Process> {
    const process = new Process(command, folder, 0);
    await process.start();
    return process;
  }

  get origin(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Starts it where it was stopped: on the same port. */
  start(): Promise<void> {
    return this.launch(['--port', String(this.port)]);
  }

  /** Waits until it takes requests. */
  private async launch(options: string[]): Promise<void> {
    // Neither a configuration file nor variables of whoever runs the tests.
    const child = spawn(PROGRAM, [...this.command, ...options], {
      cwd: this.folder,
      env: {},
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.child = child;
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
    const child = this.child;
    this.child = null;
    if (!child || child.exitCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    await ended;
  }
}

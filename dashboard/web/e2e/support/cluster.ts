// `netqoe ingest` and `netqoe aggregate`, with a stream of their own in JetStream and a database of their own in PostgreSQL.

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Netqoe } from './netqoe.ts';
import { NATS_URL, POSTGRES_URL } from './output.ts';
import { Process } from './process.ts';
import { Up } from './up.ts';

/** As old as the history may be, and older: all of it is sent within seconds, and must not be late. */
const LATENESS = '2h';
/** Of one client's requests, all of which are sent at once. */
const NO_RATE = ['--rate', '1000000', '--rate-burst', '1000000'];

export class Cluster implements Netqoe {
  private static started = 0;

  private constructor(
    private readonly intake: Process,
    private readonly aggregate: Process,
    private readonly subject: string,
    private readonly database: string,
    private readonly folder: string,
  ) {}

  /** Starts both with these further options, and `aggregate` with those, and waits until they take requests. */
  static async start(options: string[] = [], ofAggregate: string[] = []): Promise<Cluster> {
    if (!POSTGRES_URL || !NATS_URL) throw new Error('there is no PostgreSQL, or no NATS server, to start it before');
    // Process ids are distinct among those who share servers.
    const name = `e2e_${process.pid}_${Cluster.started++}`;
    psql(POSTGRES_URL, `CREATE DATABASE ${name}`);
    const database = new URL(POSTGRES_URL);
    database.pathname = name;
    const folder = await mkdtemp(join(tmpdir(), 'netqoe-e2e-'));
    const log = ['--nats-url', NATS_URL, '--stream', name, '--subject', `${name}.events`];
    const letters = ['--dlq-stream', `${name}-dlq`, '--dlq-subject', `${name}.dlq`];
    const store = ['--database-url', database.href];
    const intake = await Process.serve(['ingest', ...log, ...options], folder);
    const command = ['aggregate', ...log, ...letters, ...store, ...options, ...ofAggregate];
    const aggregate = await Process.serve(command, folder);
    return new Cluster(intake, aggregate, `${name}.events`, database.href, folder);
  }

  /** With the history of `up --demo`, which becomes open windows. Nothing is measured after it. */
  static async demo(): Promise<Cluster> {
    const demo = await Up.start('--demo');
    await demo.stop();
    const history = demo.export();
    await demo.remove();
    const cluster = await Cluster.start(NO_RATE, ['--lateness', LATENESS]);
    const response = await fetch(`${cluster.ingest}/api/v1/events`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson' },
      body: new Uint8Array(history),
    });
    const answer = (await response.json()) as { rejected?: number };
    if (answer.rejected !== 0) throw new Error(`the history was refused: ${JSON.stringify(answer)}`);
    return cluster;
  }

  get origin(): string {
    return this.aggregate.origin;
  }

  get ingest(): string {
    return this.intake.origin;
  }

  start(): Promise<void> {
    return this.aggregate.start();
  }

  stop(): Promise<void> {
    return this.aggregate.stop();
  }

  /** Publishes it as others may: on the subject of plain events. */
  async append(line: string): Promise<void> {
    const { hostname, port } = new URL(NATS_URL ?? '');
    const server = connect(Number(port), hostname);
    server.write(`CONNECT {}\r\nPUB ${this.subject} ${Buffer.byteLength(line)}\r\n${line}\r\nPING\r\n`);
    // It has the message once it has answered what came after it.
    for await (const said of server) if (String(said).includes('PONG')) break;
  }

  sql(statement: string): void {
    psql(this.database, statement);
  }

  /** Lets nobody read a table, until what it returns is called. */
  async lock(table: string): Promise<() => Promise<void>> {
    const session = spawn('psql', ['--no-psqlrc', '--quiet', this.database], { stdio: ['pipe', 'pipe', 'inherit'] });
    session.stdin.write(`BEGIN;\nLOCK TABLE ${table};\n\\echo locked\n`);
    await once(session.stdout, 'data');
    return async () => {
      const ended = once(session, 'exit');
      session.stdin.end();
      await ended;
    };
  }

  async remove(): Promise<void> {
    await Promise.all([this.intake.stop(), this.aggregate.stop()]);
    await rm(this.folder, { recursive: true });
  }
}

function psql(url: string, statement: string): void {
  execFileSync('psql', ['--no-psqlrc', '--quiet', '--set=ON_ERROR_STOP=1', `--command=${statement}`, url]);
}

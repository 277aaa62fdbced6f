import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const BINARY = resolve(process.env.TELLTALE ?? '../bin/telltale');

/** What the tests need beside the starter: work that takes as long as a test wants. */
const MORE = `
  slow:
    title: Slow work
    description: Counts to a hundred, one step every tenth of a second.
    group: For the tests
    targets: {one: {title: One}, two: {title: Two}, three: {title: Three}}
    command:
      shell: |
        i=0
        while [ $i -lt 100 ]; do i=$((i+1)); echo "::progress value=$i,total=100,unit=steps::Step $i"; echo "step $i"; sleep 0.1; done
        echo "::summary::100 steps done."
    grace: 1s
    timeout: 1m
  greet:
    title: Greet
    description: Needs to be told whom.
    group: For the tests
    params:
      whom: {title: Whom, description: A name in small letters., required: true, pattern: "[a-z]+", max: 20}
      times: {type: number, title: Times, min: 1, max: 9, integer: true, default: 1}
      loud: {type: boolean, title: Loud}
    command: {argv: [echo, "hello {{params.whom}}"]}
`;

export interface Options {
  /** Leaves the starter's actions out: an empty catalog, or this one. */
  catalog?: string;
}

/** A real server on a starter of its own, on a port it keeps over restarts. */
export class House {
  private process: ChildProcess | undefined;
  private output = '';

  private constructor(
    readonly dir: string,
    readonly port: number,
  ) {}

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get catalog(): string {
    return join(this.dir, 'starter', 'telltale.yaml');
  }

  static async open(options: Options = {}): Promise<House> {
    const dir = mkdtempSync(join(tmpdir(), 'telltale-e2e-'));
    const house = new House(dir, await freePort());
    execFileSync(BINARY, ['init', join(dir, 'starter')], { stdio: 'ignore' });
    let yaml =
      options.catalog ?? readFileSync(house.catalog, 'utf8').replace('\npractice:', `${MORE}\npractice:`);
    yaml = yaml.replaceAll(':8099', `:${await freePort()}`); // the practice service, beside others on this machine
    writeFileSync(house.catalog, yaml);
    await house.start();
    return house;
  }

  /** Starts the server and waits until it says that it listens. */
  async start(): Promise<void> {
    const args = [
      '--config',
      this.catalog,
      '--data',
      join(this.dir, 'data'),
      'serve',
      '--listen',
      `127.0.0.1:${this.port}`,
    ];
    const child = spawn(BINARY, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.process = child;
    const listens = new Promise<void>((yes, no) => {
      const read = (part: Buffer) => {
        this.output = (this.output + part).slice(-20_000);
        if (this.output.includes('listening on ')) yes();
      };
      this.output = '';
      child.stdout.on('data', read);
      child.stderr.on('data', read);
      child.once('exit', (code) => no(new Error(`the server ended with ${code}:\n${this.output}`)));
    });
    await listens;
  }

  /** The power cut: no goodbye. */
  async kill(): Promise<void> {
    await this.end('SIGKILL');
  }

  async stop(): Promise<void> {
    await this.end('SIGTERM');
  }

  async close(): Promise<void> {
    await this.stop();
    rmSync(this.dir, { recursive: true, force: true, maxRetries: 5 });
  }

  async get<T>(path: string): Promise<T> {
    return (await (await fetch(this.url + path)).json()) as T;
  }

  private async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const child = this.process;
    this.process = undefined;
    if (!child || child.exitCode !== null) return;
    const gone = once(child, 'exit');
    child.kill(signal);
    await gone;
  }
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (typeof address !== 'object' || !address) throw new Error('no port');
  return address.port;
}

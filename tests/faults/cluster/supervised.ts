import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { ROOT } from './root';

const RESTART_MS = 500;
const STOP_WITHIN_MS = 40_000;
const STATUS_WITHIN_MS = 1_500;

export interface Launch {
  name: string;
  /** Arguments of node: a file of dist/ first. */
  args: readonly string[];
  env?: () => NodeJS.ProcessEnv;
  /** The line of standard output that says that it is ready; its first group is its address. */
  ready: RegExp;
  /** File that keeps what it prints on standard error. */
  log: string;
}

/** One process under a supervisor, as production has it: whatever ends it, it is started again at once while it is wanted. */
export class Supervised {
  /** Ends that nobody asked for: exit code or signal. */
  readonly crashes: string[] = [];
  /** What the ready line gave; null while it is not ready. */
  address: string | null = null;
  private child: ChildProcess | null = null;
  private isWanted = false;
  private isAskedToEnd = false;
  private restart: NodeJS.Timeout | null = null;
  private whenReady: Array<() => void> = [];

  constructor(private readonly launch: Launch) {}

  get name(): string {
    return this.launch.name;
  }

  get pid(): number | undefined {
    return this.child?.pid;
  }

  get wanted(): boolean {
    return this.isWanted;
  }

  /** Starts it; `ready` waits for it. */
  start(extra: NodeJS.ProcessEnv = {}): void {
    this.isWanted = true;
    if (!this.child) this.spawn(extra);
  }

  ready(): Promise<void> {
    return this.address === null ? new Promise((resolve) => this.whenReady.push(resolve)) : Promise.resolve();
  }

  /** SIGKILL. @param keepDown it stays away until `start` */
  async kill(keepDown = false): Promise<void> {
    if (keepDown) this.isWanted = false;
    await this.end('SIGKILL');
  }

  /** SIGTERM, as a rolling restart sends it; it stays down until `start`. */
  async stop(): Promise<void> {
    this.isWanted = false;
    await this.end('SIGTERM');
  }

  /** Starts it again with something of its own in its environment. */
  async relaunch(extra: NodeJS.ProcessEnv): Promise<void> {
    await this.stop();
    this.start(extra);
    await this.ready();
  }

  freeze(): void {
    this.child?.kill('SIGSTOP');
  }

  thaw(): void {
    this.child?.kill('SIGCONT');
  }

  /** What `/status` says; null when it does not answer. */
  async status(): Promise<ProcessStatus | null> {
    if (this.address === null) return null;
    try {
      const answer = await fetch(`${this.address}/status`, { signal: AbortSignal.timeout(STATUS_WITHIN_MS) });
      return answer.ok ? ((await answer.json()) as ProcessStatus) : null;
    } catch {
      // Frozen, starting or gone: that is what the caller wants to know.
      return null;
    }
  }

  private spawn(extra: NodeJS.ProcessEnv): void {
    const { args, env, log, ready } = this.launch;
    const errors = openSync(log, 'a');
    const node = [process.execPath, '--enable-source-maps', ...args];
    // It ends with this process, however that ends.
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', ...node], {
      cwd: ROOT,
      env: { ...process.env, ...env?.(), ...extra },
      stdio: ['ignore', 'pipe', errors],
    });
    closeSync(errors);
    this.child = child;
    this.isAskedToEnd = false;
    createInterface({ input: child.stdout! }).on('line', (line) => {
      const found = ready.exec(line);
      if (!found || this.child !== child) return;
      this.address = found[1] ?? '';
      for (const resolve of this.whenReady.splice(0)) resolve();
    });
    child.on('error', (error) => this.crashes.push(error.message));
    child.on('exit', (code, signal) => {
      if (this.child !== child) return;
      if (!this.isAskedToEnd) this.crashes.push(String(signal ?? code));
      this.child = null;
      this.address = null;
      if (!this.isWanted) return;
      this.restart = setTimeout(() => this.isWanted && !this.child && this.spawn(extra), RESTART_MS);
    });
  }

  private async end(signal: NodeJS.Signals): Promise<void> {
    const { child } = this;
    if (this.restart) clearTimeout(this.restart);
    if (!child) {
      if (this.isWanted) this.spawn({});
      return;
    }
    this.isAskedToEnd = true;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_WITHIN_MS);
    await ended;
    clearTimeout(timer);
  }
}

/** Path of a program in the compiled tree. */
export const program = (path: string): string => join(ROOT, 'dist', path);

export interface ShardView {
  shard: string;
  isLive: boolean;
  seq: number;
  durableSeq: number;
  publishedSeq: number;
  backlog: number;
  keys: string[];
  parked: Array<{ handler: string; key: string; eventId: string }>;
}

interface PartView {
  lag?: Record<string, number>;
  shards?: ShardView[];
  /** Of the relay. */
  isActive?: boolean;
  waiting?: number;
  /** Of the projections: whether this process fills the cache, how that is, and how many keys wait for it. */
  works?: boolean;
  cache?: string;
  backlog?: number;
  gaps?: unknown[];
}

/** What a process says of itself. */
export interface ProcessStatus {
  app: string;
  instance: string;
  state: string;
  /** Bytes. */
  memory?: { heapUsed: number };
  parts: Record<string, PartView>;
}

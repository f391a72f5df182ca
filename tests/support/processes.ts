import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';

const ROOT = join(__dirname, '..', '..');

export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

/** A child process with everything that it prints; `script` is a path in the compiled tree, or an absolute one. */
export class Child {
  readonly process: ChildProcess;
  readonly ended: Promise<Ended>;
  private out = '';
  private err = '';
  private readonly lineWaiters: Array<{ test: (line: string) => boolean; resolve: (line: string) => void }> = [];

  constructor(script: string, args: readonly string[], env: NodeJS.ProcessEnv = {}) {
    this.process = spawn(process.execPath, [script.startsWith('/') ? script : join(ROOT, 'dist', script), ...args], {
      cwd: ROOT,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let rest = '';
    this.process.stdout?.on('data', (chunk: Buffer) => {
      this.out += chunk.toString();
      const lines = (rest + chunk.toString()).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) this.heard(line);
    });
    this.process.stderr?.on('data', (chunk: Buffer) => (this.err += chunk.toString()));
    this.ended = new Promise((resolve) => {
      this.process.on('close', (code, signal) => resolve({ code, signal, stdout: this.out, stderr: this.err }));
    });
  }

  get isRunning(): boolean {
    return this.process.exitCode === null && this.process.signalCode === null;
  }

  get stderr(): string {
    return this.err;
  }

  get stdout(): string {
    return this.out;
  }

  /** The first line on standard output, from now on, that passes the test; rejects when the process ends before. */
  line(test: (line: string) => boolean): Promise<string> {
    return new Promise((resolve, reject) => {
      this.lineWaiters.push({ test, resolve });
      void this.ended.then(({ code, stderr }) =>
        reject(new Error(`The process ended with ${code} before it printed the line.\n${stderr.slice(-2_000)}`)),
      );
    });
  }

  kill(signal: NodeJS.Signals): void {
    this.process.kill(signal);
  }

  private heard(line: string): void {
    for (const waiter of this.lineWaiters.filter(({ test }) => test(line))) {
      this.lineWaiters.splice(this.lineWaiters.indexOf(waiter), 1);
      waiter.resolve(line);
    }
  }
}

/** The last line of standard output as JSON. */
export function lastJson<T>(ended: Ended): T {
  const line = ended.stdout.trim().split('\n').pop() ?? '';
  try {
    return JSON.parse(line) as T;
  } catch {
    throw new Error(`The last line is no JSON: ${line.slice(0, 200)}\n${ended.stderr.slice(-2_000)}`);
  }
}

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Io } from '../io';
import { run } from '../program';

/** What a command said, and its exit code. */
export interface Said {
  code: number;
  out: string[];
  err: string[];
}

/** Commands on a data directory of their own, in this process. */
export class CommandLine {
  readonly folder = mkdtempSync(join(tmpdir(), 'moon-cli-'));
  readonly dataDir = join(this.folder, 'data');

  /** Runs a command to its end. */
  async moon(...argv: string[]): Promise<Said> {
    return this.start(argv).ended;
  }

  /** Runs a command with --json and gives what it printed, parsed. */
  async json<T>(...argv: string[]): Promise<T> {
    const { out, err, code } = await this.moon(...argv, '--json');
    if (out.length !== 1)
      throw new Error(
        `moon ${argv.join(' ')} ended with ${code} and ${out.length} lines:\n${[...out, ...err].join('\n')}`,
      );
    return JSON.parse(out[0]!) as T;
  }

  /** Starts a command; `said` grows meanwhile, `interrupt` is Ctrl-C. */
  start(argv: readonly string[]): { said: Omit<Said, 'code'>; ended: Promise<Said>; interrupt: () => void } {
    const said = { out: [] as string[], err: [] as string[] };
    const interrupt = new AbortController();
    const io: Io = {
      out: (line) => void said.out.push(line),
      err: (line) => void said.err.push(line),
      terminal: null,
      cwd: this.folder,
      env: {},
      signal: interrupt.signal,
    };
    const ended = run([...argv, '--data-dir', this.dataDir], io).then((code) => ({ code, ...said }));
    return { said, ended, interrupt: () => interrupt.abort() };
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Waits until something is so; fails after `timeoutMs`. */
export async function until(isSo: () => boolean, timeoutMs = 15_000): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!isSo()) {
    if (performance.now() > deadline) throw new Error(`It did not come about within ${timeoutMs} ms.`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

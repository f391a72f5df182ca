import { createServer, type Server } from 'node:net';
import type { RunResult } from '@moon/kernel';
import { Child, lastJson, type Ended } from './processes';

/** Settings under which agents speak up soon, so that a short run trades. */
const EAGER = {
  minScore: 55,
  minConfidence: 0.3,
  minIntervalMs: 60_000,
};
export const EAGER_PLATFORM = {
  consensus: { minimumAgents: 1, threshold: 55, cooldownMs: 0 },
  agents: { trading: { opening: EAGER }, chart: { opening: EAGER } },
};

/** `npm start` as a process, on made-up prices. */
export class PlatformProcess {
  readonly child: Child;

  /** @param script what starts it: the platform as it is, or a script that changes something first */
  constructor(args: readonly string[], script = 'apps/standalone/src/main.js', env: NodeJS.ProcessEnv = {}) {
    this.child = new Child(script, ['--feed', 'synthetic', '--json', ...args], env);
  }

  /** Waits until it is ready. @returns the address that it serves */
  async ready(): Promise<string> {
    const line = await this.said(/READY in .* (http:\/\/127\.0\.0\.1:\d+)/);
    return line[1] ?? '';
  }

  /** Waits until standard error has something. @throws Error when the process ends before */
  async said(what: RegExp, withinMs = 30_000): Promise<RegExpExecArray> {
    for (const end = Date.now() + withinMs; Date.now() < end;) {
      const found = what.exec(this.child.stderr);
      if (found) return found;
      if (!this.child.isRunning) throw new Error(`The platform ended before it said ${what}:\n${this.child.stderr}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    throw new Error(`The platform did not say ${what} within ${withinMs} ms:\n${this.child.stderr}`);
  }

  /** Ctrl-C, and what it prints at the end. */
  async interrupt(): Promise<{ ended: Ended; result: RunResult }> {
    this.child.kill('SIGINT');
    const ended = await this.child.ended;
    return { ended, result: lastJson<RunResult>(ended) };
  }

  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.child.ended;
  }
}

/** A port of 127.0.0.1 that somebody else has. */
export async function takenPort(): Promise<{ port: number; release: () => Promise<void> }> {
  const server: Server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('The port is not known.');
  const release = (): Promise<void> => new Promise((resolve) => server.close(() => resolve()));
  return { port: address.port, release };
}

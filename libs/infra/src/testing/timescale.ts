import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Login } from '../postgres/access';

const SCRIPT = 'scripts/timescale-wasm.mjs';

/** TimescaleDB on WebAssembly; its one user may do everything. Database: postgres. One connection at a time. */
export interface TimescaleServer {
  login: Login;
  stop(): Promise<void>;
}

export async function startTimescale(root: string): Promise<TimescaleServer> {
  const child = fork(join(root, SCRIPT), { execArgv: [], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const ended = once(child, 'exit');
  const failed = ended.then(([code]) => {
    throw new Error(`${SCRIPT} ended with ${code} before it said its port.`);
  });
  const started = once(child, 'message') as Promise<[{ port: number }]>;
  const [{ port }] = await Promise.race([started, failed]);
  failed.catch(() => undefined);
  return {
    login: { host: '127.0.0.1', port, user: 'postgres', password: 'postgres' },
    stop: async () => {
      child.disconnect();
      await ended;
    },
  };
}

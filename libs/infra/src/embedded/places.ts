import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { Client } from 'pg';

export const HOST = '127.0.0.1';
export const SUPERUSER = 'postgres';

/** Where a server is and how to log in as its superuser. */
export interface ServerAddress {
  host: string;
  port: number;
  user: string;
  password: string;
}

export interface Paths {
  home: string;
  data: string;
  log: string;
  password: string;
  /** Holds the port of the last start. */
  port: string;
}

export const pathsIn = (home: string): Paths => ({
  home,
  data: join(home, 'data'),
  log: join(home, 'server.log'),
  password: join(home, 'password'),
  port: join(home, 'port'),
});

/** First line of postmaster.pid: the pid; fourth: the port. */
export function postmaster(paths: Paths): { pid: number; port: number } | null {
  try {
    const lines = readFileSync(join(paths.data, 'postmaster.pid'), 'utf8').split('\n');
    const pid = Number(lines[0]);
    const port = Number(lines[3]);
    return Number.isInteger(pid) && pid > 0 ? { pid, port } : null;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

export const addressOf = (paths: Paths, port: number): ServerAddress => ({
  host: HOST,
  port,
  user: SUPERUSER,
  password: readFileSync(paths.password, 'utf8'),
});

export async function asSuperuser<T>(address: ServerAddress, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ ...address, database: 'postgres', connectionTimeoutMillis: 5_000 });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

function tryPort(wanted: number): Promise<number | null> {
  return new Promise((resolvePort) => {
    const probe = createServer();
    probe.once('error', () => resolvePort(null));
    probe.listen(wanted, HOST, () => {
      const { port } = probe.address() as { port: number };
      probe.close(() => resolvePort(port));
    });
  });
}

/** The port of the last start where it is still free: those who were connected find the server again. */
export async function choosePort(paths: Paths): Promise<number> {
  const last = existsSync(paths.port) ? Number(readFileSync(paths.port, 'utf8')) : 0;
  const port = (await tryPort(last)) ?? (await tryPort(0));
  if (port === null) throw new Error(`No free port could be found on ${HOST} for the embedded PostgreSQL.`);
  return port;
}

import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { prepareHome } from './home';
import { nativePrograms } from './native';
import type { NativePrograms } from './native';
import { addressOf, asSuperuser, choosePort, HOST, pathsIn, postmaster, SUPERUSER } from './places';
import type { Paths, ServerAddress } from './places';
import { isRunning, programOf, sleep } from './process-info';
import { unprivilegedAccount } from './unprivileged';
import type { RunAs } from './unprivileged';

const run = promisify(execFile);

export interface EmbeddedServer extends ServerAddress {
  pid: number;
  /** True when a server left over by a killed platform was found running and taken over. */
  adopted: boolean;
  /** Milliseconds from the call to the first answered query. */
  startupMs: number;
  stop(): Promise<void>;
}

export interface EmbeddedServerOptions {
  dataDir: string;
  /** Further server settings, e.g. { shared_buffers: '512MB' }. */
  settings?: Readonly<Record<string, string>>;
}

const READY_TIMEOUT_MS = 30_000;
const STOP_TIMEOUT_S = '20';

const SETTINGS: Readonly<Record<string, string>> = {
  listen_addresses: HOST,
  unix_socket_directories: '',
  timezone: 'UTC',
  max_connections: '100',
  shared_buffers: '256MB',
  work_mem: '16MB',
  wal_level: 'minimal',
  max_wal_senders: '0',
  max_wal_size: '2GB',
  checkpoint_timeout: '10min',
  // Many monthly partitions may take part in one statement.
  max_locks_per_transaction: '512',
  max_parallel_workers_per_gather: '0',
  jit: 'off',
  // A transaction that is forgotten would hold up the relay.
  idle_in_transaction_session_timeout: '60s',
  // Fresh partitions need statistics soon.
  autovacuum_naptime: '10s',
  log_min_messages: 'warning',
};

async function initialise(paths: Paths, programs: NativePrograms, account: RunAs | null): Promise<void> {
  mkdirSync(paths.home, { recursive: true });
  // The server's account must be able to pass, whatever the umask is.
  chmodSync(paths.home, 0o755);
  // Whatever is there without a password file is an initdb that was cut off.
  rmSync(paths.data, { recursive: true, force: true });
  mkdirSync(paths.data, { mode: 0o700 });
  const draft = `${paths.password}.draft`;
  writeFileSync(draft, randomBytes(24).toString('base64url'), { mode: 0o600 });
  if (account) for (const path of [paths.data, draft]) chownSync(path, account.uid, account.gid);
  const flags = [
    '--encoding=UTF8',
    '--locale=C',
    '--auth=scram-sha-256',
    '--sync-method=syncfs',
    `--username=${SUPERUSER}`,
  ];
  const options = { cwd: paths.home, ...account };
  try {
    await run(programs.initdb, ['-D', paths.data, `--pwfile=${draft}`, ...flags], options);
  } catch (error) {
    const { stderr } = error as { stderr?: string };
    throw new Error(`PostgreSQL could not be initialised in ${paths.data}: ${stderr?.trim() || String(error)}`, {
      cause: error,
    });
  }
  writeFileSync(paths.password, readFileSync(draft), { mode: 0o600 });
  rmSync(draft);
}

/**
 * Ends every session of the platform that was killed. What such a session had begun to commit is done or undone when
 * this returns, so that the log cannot change behind the one who reads it next.
 */
async function endForeignSessions(address: ServerAddress): Promise<void> {
  const others = `FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()`;
  await asSuperuser(address, async (client) => {
    await client.query(`SELECT pg_terminate_backend(pid) ${others}`);
    for (;;) {
      const { rows } = await client.query<{ left: string }>(`SELECT count(*) AS left ${others}`);
      if (rows[0]?.left === '0') return;
      await sleep(10);
    }
  });
}

function lastLogLines(paths: Paths): string {
  if (!existsSync(paths.log)) return '(no log)';
  return readFileSync(paths.log, 'utf8').trimEnd().split('\n').slice(-5).join('\n');
}

async function untilReady(address: ServerAddress, paths: Paths, isAlive: () => boolean): Promise<void> {
  const deadline = performance.now() + READY_TIMEOUT_MS;
  for (;;) {
    try {
      await asSuperuser(address, (client) => client.query('SELECT 1'));
      return;
    } catch (error) {
      const isLate = performance.now() > deadline;
      if (isLate || !isAlive()) {
        const what = isLate ? `does not answer within ${READY_TIMEOUT_MS / 1000} s` : 'ended while starting';
        throw new Error(`The embedded PostgreSQL ${what}. Last lines of ${paths.log}:\n${lastLogLines(paths)}`, {
          cause: error,
        });
      }
      await sleep(20);
    }
  }
}

/** A session of its own: Ctrl-C at the terminal reaches the platform, which drains before it stops the server. */
function launch(
  paths: Paths,
  programs: NativePrograms,
  flags: string[],
  account: RunAs | null,
): { pid: number; isAlive(): boolean } {
  const log = openSync(paths.log, 'a');
  try {
    const child = spawn(programs.postgres, ['-D', paths.data, ...flags], {
      cwd: paths.home,
      detached: true,
      stdio: ['ignore', log, log],
      ...account,
    });
    let failure: Error | null = null;
    child.once('error', (error) => (failure = error));
    child.unref();
    return {
      pid: child.pid ?? 0,
      isAlive: () => failure === null && child.exitCode === null && child.signalCode === null,
    };
  } finally {
    closeSync(log);
  }
}

async function start(paths: Paths, programs: NativePrograms, options: EmbeddedServerOptions, account: RunAs | null) {
  const port = await choosePort(paths);
  const settings = { ...SETTINGS, ...options.settings, port: String(port) };
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const server = launch(paths, programs, flags, account);
  const address = addressOf(paths, port);
  await untilReady(address, paths, server.isAlive);
  writeFileSync(paths.port, String(port));
  return { address, pid: server.pid };
}

/** The server of a killed platform, when one still runs on this data directory. */
async function leftOver(paths: Paths, programs: NativePrograms, account: RunAs | null) {
  const found = postmaster(paths);
  if (!found || !isRunning(found.pid)) return null;
  const program = programOf(found.pid);
  if (program !== null && !/[\\/]postgres(\.exe)?$/.test(program)) {
    // The pid was given to another program since; PostgreSQL would take it for its own server.
    rmSync(join(paths.data, 'postmaster.pid'));
    return null;
  }
  if (program !== null && program !== programs.postgres) {
    await stopServer(paths, programs, account);
    return null;
  }
  const address = addressOf(paths, found.port);
  await untilReady(address, paths, () => isRunning(found.pid));
  await endForeignSessions(address);
  return { address, pid: found.pid };
}

async function stopServer(paths: Paths, programs: NativePrograms, account: RunAs | null): Promise<void> {
  if (!postmaster(paths)) return;
  const flags = ['stop', '-D', paths.data, '-m', 'fast', '-w', '-t', STOP_TIMEOUT_S];
  try {
    await run(programs.pgCtl, flags, { cwd: paths.home, ...account });
  } catch (error) {
    // pg_ctl reports a server that ended meanwhile as a failure.
    const left = postmaster(paths);
    if (left && isRunning(left.pid))
      throw new Error(`The embedded PostgreSQL did not stop: ${String(error)}`, { cause: error });
  }
}

/**
 * A real PostgreSQL below `<dataDir>/postgres`, as a process of its own on a free port of 127.0.0.1: initialised at the
 * first start, taken over when a killed platform left it running, also when this process is root.
 */
export async function startEmbeddedPostgres(options: EmbeddedServerOptions): Promise<EmbeddedServer> {
  const startedAt = performance.now();
  const dataDir = resolve(options.dataDir);
  mkdirSync(dataDir, { recursive: true });
  const account = unprivilegedAccount();
  const programs = nativePrograms();
  const paths = pathsIn(prepareHome(dataDir, account));
  if (!existsSync(paths.password)) await initialise(paths, programs, account);
  const found = await leftOver(paths, programs, account);
  const { address, pid } = found ?? (await start(paths, programs, options, account));
  return {
    ...address,
    pid,
    adopted: found !== null,
    startupMs: Math.round(performance.now() - startedAt),
    stop: () => stopServer(paths, programs, account),
  };
}

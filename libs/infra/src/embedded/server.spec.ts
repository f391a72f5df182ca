import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { withClient } from '../postgres/access';
import { isRunning } from './process-info';
import { startEmbeddedPostgres } from './server';
import type { EmbeddedServer } from './server';

const compiled = join(__dirname, '../../../../dist/libs/infra/src/embedded/server.js');

/** Starts the server from a process of its own, which opens a transaction and is then killed with SIGKILL. */
function killedPlatform(dataDir: string): Promise<{ pid: number }> {
  const script = `
    const { startEmbeddedPostgres } = require(${JSON.stringify(compiled)});
    const { Client } = require('pg');
    startEmbeddedPostgres({ dataDir: ${JSON.stringify(dataDir)} }).then(async (server) => {
      const client = new Client({ ...server, database: 'postgres' });
      await client.connect();
      await client.query('CREATE TABLE kept (a int)');
      await client.query('INSERT INTO kept VALUES (1)');
      await client.query('BEGIN');
      await client.query('INSERT INTO kept VALUES (2)');
      process.stdout.write(JSON.stringify({ pid: server.pid }) + '\\n', () => process.kill(process.pid, 'SIGKILL'));
    });`;
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'pipe'], cwd: __dirname });
    let output = '';
    let errors = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
    child.on('close', (_code, signal) => {
      if (signal === 'SIGKILL') resolve(JSON.parse(output) as { pid: number });
      else reject(new Error(`The process ended by itself: ${errors}`));
    });
  });
}

const query = (server: EmbeddedServer, text: string): Promise<unknown[]> =>
  withClient(server, 'postgres', async (client) => (await client.query(text)).rows as unknown[]);

describe('embedded PostgreSQL', () => {
  let top: string;
  let dataDir: string;
  let servers: EmbeddedServer[];

  beforeEach(() => {
    top = mkdtempSync(join(tmpdir(), 'moon-embedded-'));
    dataDir = top;
    servers = [];
  });
  afterEach(async () => {
    for (const server of servers) await server.stop();
    rmSync(top, { recursive: true, force: true });
  });

  const start = async (): Promise<EmbeddedServer> => {
    const server = await startEmbeddedPostgres({ dataDir });
    servers.push(server);
    return server;
  };

  it('starts on 127.0.0.1 alone, asks for a password, keeps its data, and stops', async () => {
    const first = await start();
    expect(first).toMatchObject({ host: '127.0.0.1', adopted: false });
    expect(await query(first, 'SHOW server_encoding')).toEqual([{ server_encoding: 'UTF8' }]);
    expect(await query(first, 'SHOW listen_addresses')).toEqual([{ listen_addresses: '127.0.0.1' }]);
    expect(await query(first, "SELECT datcollate FROM pg_database WHERE datname = 'postgres'")).toEqual([
      { datcollate: 'C' },
    ]);
    await expect(query({ ...first, password: 'wrong' }, 'SELECT 1')).rejects.toThrow(/password authentication failed/);
    await query(first, 'CREATE TABLE kept (a int)');
    await first.stop();
    expect(isRunning(first.pid)).toBe(false);
    await first.stop();

    const second = await start();
    expect(second.password).toBe(first.password);
    expect(second.port).toBe(first.port);
    expect(await query(second, 'SELECT count(*)::int FROM kept')).toEqual([{ count: 0 }]);
  });

  it('takes over the server of a platform that was killed, and undoes what that one had not committed', async () => {
    const killed = await killedPlatform(dataDir);
    expect(isRunning(killed.pid)).toBe(true);
    const server = await start();
    expect(server).toMatchObject({ adopted: true, pid: killed.pid });
    expect(await query(server, 'SELECT a FROM kept')).toEqual([{ a: 1 }]);
    const clients = "SELECT count(*)::int FROM pg_stat_activity WHERE backend_type = 'client backend'";
    expect(await query(server, clients)).toEqual([{ count: 1 }]);
  });

  it('recovers when the server itself was killed', async () => {
    const first = await start();
    await query(first, 'CREATE TABLE kept (a int)');
    const childrenGone = new Promise((resolve) => setTimeout(resolve, 200));
    process.kill(first.pid, 'SIGKILL');
    await childrenGone;
    expect(existsSync(join(dataDir, 'postgres', 'data', 'postmaster.pid'))).toBe(true);
    const second = await start();
    expect(second.adopted).toBe(false);
    expect(await query(second, 'SELECT count(*)::int FROM kept')).toEqual([{ count: 0 }]);
  });

  it('begins anew after an initialisation that was cut off', async () => {
    const first = await start();
    await first.stop();
    rmSync(join(dataDir, 'postgres', 'password'));
    rmSync(join(dataDir, 'postgres', 'data', 'PG_VERSION'));
    const second = await start();
    expect(await query(second, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  it('starts below a temporary folder that is closed to others', async () => {
    dataDir = join(dataDir, 'closed', 'data');
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    chmodSync(join(dataDir, '..'), 0o700);
    const server = await start();
    expect(await query(server, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    expect(existsSync(join(dataDir, 'postgres', 'data', 'PG_VERSION'))).toBe(true);
  });

  it('keeps the password readable for nobody else', async () => {
    await start();
    const path = join(dataDir, 'postgres', 'password');
    expect(statSync(path).mode & 0o077).toBe(0);
    expect(readFileSync(path, 'utf8').length).toBeGreaterThanOrEqual(32);
  });
});

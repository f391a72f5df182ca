import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { withClient } from '../postgres/access';
import { dataDirHolder, lockDataDir } from './data-lock';
import { findEmbeddedPostgres, hasEmbeddedStore } from './running';
import { startEmbeddedPostgres } from './server';

describe('a server that somebody else runs', () => {
  let dataDir: string;

  beforeEach(() => {
    dataDir = mkdtempSync(join(tmpdir(), 'moon-running-'));
  });
  afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

  it('is found, without taking it over: sessions that are open there stay open', async () => {
    const server = await startEmbeddedPostgres({ dataDir, settings: { fsync: 'off' } });
    await withClient(server, 'postgres', async (owner) => {
      await owner.query('CREATE TEMPORARY TABLE mine (a int)');
      const found = await findEmbeddedPostgres(dataDir);
      expect(found).toEqual({ host: server.host, port: server.port, user: server.user, password: server.password });
      await owner.query('INSERT INTO mine VALUES (1)');
    });
    await server.stop();
    expect(await findEmbeddedPostgres(dataDir)).toBeNull();
    expect(hasEmbeddedStore(dataDir)).toBe(true);
  }, 60_000);

  it('is none where there was never a store, and none is made', async () => {
    expect(hasEmbeddedStore(dataDir)).toBe(false);
    expect(await findEmbeddedPostgres(dataDir)).toBeNull();
    expect(readdirSync(dataDir)).toEqual([]);
    const nowhere = join(dataDir, 'nowhere');
    expect(hasEmbeddedStore(nowhere)).toBe(false);
    expect(existsSync(nowhere)).toBe(false);
  });

  it('has a holder that can be told apart from a command', () => {
    expect(dataDirHolder(dataDir)).toBeNull();
    const platform = lockDataDir(dataDir);
    expect(dataDirHolder(dataDir)).toEqual({ pid: process.pid, program: 'platform', isPlatform: true });
    platform.release();
    const command = lockDataDir(dataDir, 'moon import');
    expect(dataDirHolder(dataDir)).toEqual({ pid: process.pid, program: 'moon import', isPlatform: false });
    expect(() => lockDataDir(dataDir)).toThrow(/in use by another instance \(moon import, process \d+\)/);
    command.release();
  });
});

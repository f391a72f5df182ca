import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConcurrencyConflict, LogDiverged, LogWriter } from '@moon/kernel';
import type { LogRow } from '@moon/kernel';
import { depositRow, tickRow } from '../../../kernel/src/contracts/event-store.contract';
import { startEmbeddedPostgres } from '../embedded/server';
import type { EmbeddedServer } from '../embedded/server';
import { createRoles } from './access';
import { migrateUp } from './data-source';
import { PostgresEventStore } from './event-store';
import { isTransientStoreError } from './transient';

const ROWS = 2_000;
const KILLS = 2;

describe('a server that is lost', () => {
  let dataDir: string;
  let server: EmbeddedServer;

  beforeEach(() => {
    dataDir = mkdtempSync(join(tmpdir(), 'moon-lost-'));
  });
  afterEach(async () => {
    await server.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });

  it('loses nothing and doubles nothing of what is appended meanwhile, when it is killed again and again', async () => {
    server = await startEmbeddedPostgres({ dataDir });
    const access = await createRoles(server);
    await migrateUp(access, 'moon_lost', 'run');
    const store = new PostgresEventStore(access.app, 'moon_lost', { connections: 2 });
    let retries = 0;
    const fatal: Error[] = [];
    const writer = new LogWriter(store, 0, {
      maxBatch: 40,
      retryMs: 20,
      isTransient: isTransientStoreError,
      onRetry: () => (retries += 1),
      onFatal: (error) => fatal.push(error),
    });
    const rows: LogRow[] = [];
    for (let seq = 1; seq <= ROWS; seq += 1) rows.push(seq % 4 === 0 ? depositRow(seq, seq / 4) : tickRow(seq));
    for (const row of rows) writer.append(row);
    for (let kill = 1; kill <= KILLS; kill += 1) {
      await writer.durable(Math.floor((ROWS / (KILLS + 1)) * kill));
      process.kill(server.pid, 'SIGKILL');
      await new Promise((resolve) => setTimeout(resolve, 100));
      server = await startEmbeddedPostgres({ dataDir });
    }
    await writer.durable(ROWS);
    const stored: LogRow[] = [];
    for await (const row of store.readLog(0)) stored.push(row);
    await store.close();
    expect(fatal).toEqual([]);
    expect(retries).toBeGreaterThan(0);
    expect(stored).toEqual(rows);
  }, 120_000);

  it('is told from a log that another instance writes', async () => {
    server = await startEmbeddedPostgres({ dataDir });
    const unreachable = new PostgresEventStore({ ...server, port: 1 }, 'none');
    const error: unknown = await unreachable.lastSeq().catch((reason: unknown) => reason);
    await unreachable.close();
    expect(isTransientStoreError(error)).toBe(true);
    const missing = new PostgresEventStore(server, 'none');
    const refused: unknown = await missing.lastSeq().catch((reason: unknown) => reason);
    await missing.close();
    expect(isTransientStoreError(refused)).toBe(false);
    expect(isTransientStoreError(new ConcurrencyConflict('portfolio-main', 1, 2))).toBe(false);
    expect(isTransientStoreError(new LogDiverged(1, 'a', 'b'))).toBe(false);
    expect(isTransientStoreError('text')).toBe(false);
  });
});

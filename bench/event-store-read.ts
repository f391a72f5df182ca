import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { derivedId } from '@moon/events';
import type { AnyEvent } from '@moon/events';
import { createRoles, migrateUp, PostgresEventStore, startEmbeddedPostgres } from '@moon/infra';
import type { Login } from '@moon/infra';
import type { LogRow } from '@moon/kernel';
import { Client } from 'pg';
import { median } from './figure';
import type { BenchFigure } from './figure';

/**
 * Reading a log of 100,000 ticks from the embedded PostgreSQL, as recovery and rebuilds do: rows in order of position,
 * parsed to events. Baseline in the same run: COPY of the same rows to this process, nothing parsed. And a page of a
 * query, by time, token and type, at random places.
 */

const ROWS = 100_000;
const BATCH = 1_000;
const REPEATS = 3;
const PAGES = 200;
const DATABASE = 'bench_read';
const T0 = Date.UTC(2026, 0, 5);
const STEP_MS = 50;

function tickRow(seq: number): LogRow {
  const id = derivedId('00000000-0000-5000-8000-000000000000', 'bench', seq);
  const token = seq % 2 === 0 ? 'BTC' : 'ETH';
  const timestamp = T0 + seq * STEP_MS;
  const data = {
    event_type: 'price.tick',
    token,
    price: Math.round((43_250 + Math.sin(seq / 500) * 300) * 10) / 10,
    volume_1m: seq,
    timestamp,
    instrument: `${token}.HYPERLIQUID`,
    kind: 'last',
    size: 0.25,
    side: 'buy',
  };
  const metadata = { id, schemaVersion: 1, source: 'bench', key: token, occurredAt: timestamp, correlationId: id };
  return { seq, event: { ...metadata, type: 'price.tick', causationId: null, data } as AnyEvent };
}

/** COPY TO STDOUT with pg's protocol alone: counts rows. */
function copyOut(client: Client, query: string): Promise<number> {
  return new Promise((resolve, reject) => {
    let rows = 0;
    const nothing = (): void => undefined;
    client.query({
      submit: (connection: { query(text: string): void }) => connection.query(`COPY (${query}) TO STDOUT`),
      handleCopyData: () => (rows += 1),
      handleReadyForQuery: () => resolve(rows),
      handleError: reject,
      handleCopyOutResponse: nothing,
      handleCommandComplete: nothing,
      handleRowDescription: nothing,
      handleDataRow: nothing,
    } as never);
  });
}

async function rateOf(read: () => Promise<number>): Promise<number> {
  const rates: number[] = [];
  for (let repeat = 0; repeat <= REPEATS; repeat += 1) {
    const started = performance.now();
    const rows = await read();
    if (rows !== ROWS) throw new Error(`${rows} rows were read instead of ${ROWS}.`);
    // The first one warms up.
    if (repeat > 0) rates.push((rows / (performance.now() - started)) * 1000);
  }
  return median(rates);
}

async function pageLatencies(store: PostgresEventStore): Promise<number[]> {
  const latencies: number[] = [];
  for (let page = 0; page < PAGES; page += 1) {
    const from = T0 + ((page * 7_919) % ROWS) * STEP_MS;
    const started = performance.now();
    await store.query({ limit: 1_000, types: ['price.tick'], token: 'BTC', from });
    latencies.push(performance.now() - started);
  }
  return latencies.sort((a, b) => a - b);
}

const figure = (metric: string, value: number, unit: string, baseline: number | null = null): BenchFigure => ({
  bench: 'event-store-read',
  metric,
  value: Number(value.toPrecision(4)),
  unit,
  baseline: baseline === null ? null : Number(baseline.toPrecision(4)),
  ratio: baseline === null ? null : Number((value / baseline).toPrecision(4)),
});

async function measure(app: Login): Promise<BenchFigure[]> {
  const store = new PostgresEventStore(app, DATABASE);
  const client = new Client({ ...app, database: DATABASE });
  await client.connect();
  try {
    for (let seq = 1; seq <= ROWS; seq += BATCH) {
      await store.appendBatch(Array.from({ length: BATCH }, (_, index) => tickRow(seq + index)));
    }
    const copied = await rateOf(() => copyOut(client, 'SELECT * FROM log ORDER BY seq'));
    const read = await rateOf(async () => {
      let rows = 0;
      for await (const row of store.readLog(0)) if (row.seq > 0) rows += 1;
      return rows;
    });
    const pages = await pageLatencies(store);
    return [
      figure('log read in order, parsed to events', read, '1/s', copied),
      figure('page of 1,000 by time, token, type: p50', pages[PAGES / 2]!, 'ms'),
      figure('page of 1,000 by time, token, type: p99', pages[Math.floor(PAGES * 0.99)]!, 'ms'),
    ];
  } finally {
    await client.end();
    await store.close();
  }
}

export async function run(): Promise<BenchFigure[]> {
  const dataDir = mkdtempSync(join(tmpdir(), 'moon-bench-read-'));
  const server = await startEmbeddedPostgres({ dataDir });
  try {
    const access = await createRoles(server);
    await migrateUp(access, DATABASE, 'run');
    return await measure(access.app);
  } finally {
    await server.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

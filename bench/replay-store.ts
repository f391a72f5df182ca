import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { instrumentForFeed, minuteQuoteVolume } from '@moon/domain';
import {
  createRoles,
  MarketFileSource,
  RowRefused,
  RunRegistry,
  startEmbeddedPostgres,
  type Login,
  type MarketFileOptions,
  type Run,
} from '@moon/infra';
import type { LogRow } from '@moon/kernel';
import { Client } from 'pg';
import { median, type BenchFigure } from './figure';

/**
 * Reading an imported log of one-minute bars from the embedded PostgreSQL as the inputs of a replay: in recorded order,
 * checked for schema version, hashed by id, with data parsed. Baseline in the same run: COPY of the same rows and columns as
 * text, each split into its columns, nothing parsed. Both in wall time: the server is a process of its own.
 */
const BARS = 50_000;
const REPEATS = 5;
const START = Date.UTC(2022, 0, 1);
const MINUTE = 60_000;
const QUERY = `SELECT event_id, occurred_at, schema_version, type, source, key, data, headers FROM events
  ORDER BY occurred_at, seq`;

export async function run(): Promise<BenchFigure[]> {
  const dataDir = mkdtempSync(join(tmpdir(), 'moon-bench-store-'));
  const server = await startEmbeddedPostgres({ dataDir });
  try {
    const access = await createRoles(server);
    const registry = await RunRegistry.open(access);
    try {
      const { run: imported } = await registry.openRun({ mode: 'imported' });
      await fill(registry, imported, dataDir);
      return await measure(registry, imported, access.app);
    } finally {
      await registry.close();
    }
  } finally {
    await server.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

async function fill(registry: RunRegistry, imported: Run, folder: string): Promise<void> {
  const path = join(folder, 'bars.csv');
  writeFileSync(path, candles());
  const files = { files: [{ path }], resolve, minuteVolume: minuteQuoteVolume, headers: { mode: 'recorded' } } as const;
  const source = await MarketFileSource.open(files);
  const store = registry.openStore(imported);
  try {
    let seq = 0;
    for (let batch = await source.nextBatch(); batch; batch = await source.nextBatch()) {
      await store.appendBatch(batch.map((event): LogRow => ({ seq: (seq += 1), event })));
    }
  } finally {
    await store.close();
  }
}

async function measure(registry: RunRegistry, imported: Run, login: Login): Promise<BenchFigure[]> {
  const raw: number[] = [];
  const inputs: number[] = [];
  // The first round warms up.
  for (let repeat = 0; repeat <= REPEATS; repeat += 1) {
    const rates = [
      await rateOf(() => copyText(login, imported.database)),
      await rateOf(() => read(registry, imported)),
    ];
    if (repeat === 0) continue;
    raw.push(rates[0]!);
    inputs.push(rates[1]!);
  }
  const [value, baseline] = [median(inputs), median(raw)];
  return [
    {
      bench: 'replay-store',
      metric: 'bars of an imported log as inputs',
      value,
      unit: 'rows/s',
      baseline,
      ratio: value / baseline,
    },
  ];
}

async function rateOf(work: () => Promise<number>): Promise<number> {
  const started = performance.now();
  const rows = await work();
  if (rows !== 2 * BARS) throw new Error(`${rows} rows were read instead of ${2 * BARS}.`);
  return (rows / (performance.now() - started)) * 1_000;
}

async function read(registry: RunRegistry, imported: Run): Promise<number> {
  const source = await registry.openInputs(imported);
  try {
    let rows = 0;
    for (let batch = await source.nextBatch(); batch; batch = await source.nextBatch()) rows += batch.length;
    return rows;
  } finally {
    await source.close();
  }
}

/** COPY as text to rows of columns, with pg's protocol alone. */
async function copyText(login: Login, database: string): Promise<number> {
  const client = new Client({ ...login, database });
  await client.connect();
  try {
    return await new Promise((resolve, reject) => {
      let rows = 0;
      const nothing = (): void => undefined;
      client.query({
        submit: (connection: { query(text: string): void }) => connection.query(`COPY (${QUERY}) TO STDOUT`),
        handleCopyData: ({ chunk }: { chunk: Buffer }) => {
          if (chunk.toString('utf8').split('\t').length === 8) rows += 1;
        },
        handleReadyForQuery: () => resolve(rows),
        handleError: reject,
        handleCopyOutResponse: nothing,
        handleCommandComplete: nothing,
        handleRowDescription: nothing,
        handleDataRow: nothing,
      } as never);
    });
  } finally {
    await client.end();
  }
}

const resolve: MarketFileOptions['resolve'] = (venue, symbol) => {
  const found = instrumentForFeed(venue, symbol);
  if (!found) throw new RowRefused('unknown_symbol', `${symbol} is not known`);
  return { instrument: found.id, token: found.token, fundingIntervalHours: found.fundingIntervalHours };
};

/** The same every time. */
function candles(): string {
  const rows = ['timestamp_ms,symbol,open,high,low,close,volume'];
  for (let bar = 0; bar < BARS; bar += 1) {
    const open = 46_000 + ((bar * 7_919) % 100_003) / 100;
    const close = open + ((bar % 11) - 5) / 4;
    const prices = [open, Math.max(open, close) + 3.25, Math.min(open, close) - 2.75, close].map((one) =>
      one.toFixed(2),
    );
    rows.push(`${START + bar * MINUTE},BTCUSDT,${prices.join()},${((bar * 131) % 9_973) / 100}`);
  }
  return `${rows.join('\n')}\n`;
}

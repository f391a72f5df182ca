import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { derivedId, eventId } from '@moon/events';
import type { AnyEvent } from '@moon/events';
import { createRoles, migrateUp, PostgresEventStore, startEmbeddedPostgres } from '@moon/infra';
import type { PostgresAccess } from '@moon/infra';
import type { LogRow } from '@moon/kernel';
import { Client } from 'pg';
import { median } from './figure';
import type { BenchFigure } from './figure';

/**
 * The event store on the embedded PostgreSQL (fsync on, synchronous commit): appends at batch 1, 10 and 100 with 1 and
 * 16 writers, each on a stream of its own. Included: the mapping of events to rows, claim of positions, compare-and-set
 * on the stream, uniqueness, five indexes, one commit a batch.
 * Baseline in the same run, in turns: one hand-written statement with compare-and-set and dedupe on the same tables,
 * its parameters prepared beforehand.
 */

const ROUND_MS = 700;
const REPEATS = 3;
const T0 = Date.UTC(2026, 0, 5);

const RAW_APPEND = `WITH advanced AS (
    INSERT INTO streams (stream_id, version) VALUES ($1, $2)
    ON CONFLICT (stream_id) DO UPDATE SET version = excluded.version WHERE streams.version = $3 RETURNING 1)
  INSERT INTO stream_events (event_id, occurred_at, seq, correlation_id, causation_id, version, schema_version, type,
    source, key, token, stream_id, data, headers)
  SELECT id, to_timestamp(at / 1000.0), seq, correlation, causation, version, schema, type,
    source, key, token, stream, data, headers
  FROM json_to_recordset($4::json) AS row(id uuid, at bigint, seq bigint, correlation uuid, causation uuid,
    version bigint, schema integer, type text, source text, key text, token text, stream text, data json, headers json),
    advanced
  ON CONFLICT DO NOTHING`;

interface Place {
  writer: number;
  seq: number;
  version: number;
}

/** A fill as an order books it, about 400 bytes of data. */
function fillRow({ writer, seq, version }: Place): LogRow {
  const portfolio = `bench-${writer}`;
  const id = derivedId('00000000-0000-5000-8000-000000000000', 'bench', seq);
  const orderId = eventId('bench-order', String(seq));
  const occurredAt = T0 + seq;
  const event = {
    id,
    type: 'portfolio.fill_booked',
    schemaVersion: 1,
    source: 'execution',
    key: portfolio,
    occurredAt,
    correlationId: id,
    causationId: null,
    data: {
      event_type: 'portfolio.fill_booked',
      portfolio,
      order_id: orderId,
      fillId: String(seq),
      token: 'BTC',
      instrument: 'BTC.HYPERLIQUID',
      side: 'buy',
      price: '43265.25',
      quantity: '0.1156',
      fee: '2.250658305',
      feeAsset: 'USDC',
      realisedPnl: '0',
      cashDelta: '-2.250658305',
      costBasisDelta: '5001.4629',
      timestamp: occurredAt,
    },
  } as AnyEvent;
  return { seq, event, streamId: `portfolio-${portfolio}`, version };
}

const rawRow = ({ seq, event, streamId, version }: LogRow): object => ({
  id: event.id,
  at: event.occurredAt,
  seq,
  version,
  schema: event.schemaVersion,
  type: event.type,
  source: event.source,
  key: event.key,
  token: 'BTC',
  stream: streamId,
  data: event.data,
});

/** Positions and stream versions of the whole bench, handed out without gaps. */
class Allocator {
  private seq = 0;
  private readonly versions = new Map<number, number>();

  batch(writer: number, size: number): LogRow[] {
    let version = this.versions.get(writer) ?? 0;
    const rows = Array.from({ length: size }, () => fillRow({ writer, seq: (this.seq += 1), version: (version += 1) }));
    this.versions.set(writer, version);
    return rows;
  }
}

interface Measured {
  eventsPerSecond: number;
  latenciesMs: number[];
}

type Append = (writer: number, rows: LogRow[]) => Promise<unknown>;

/** All writers append as fast as they can for a while; batches are made before the clock of each append starts. */
async function measure(
  writers: number,
  size: number,
  next: (writer: number) => LogRow[],
  append: Append,
): Promise<Measured> {
  const latenciesMs: number[] = [];
  const started = performance.now();
  let events = 0;
  let made = 0;
  const work = async (writer: number): Promise<void> => {
    while (performance.now() - started < ROUND_MS) {
      const making = performance.now();
      const rows = next(writer);
      made += performance.now() - making;
      const before = performance.now();
      await append(writer, rows);
      latenciesMs.push(performance.now() - before);
      events += size;
    }
  };
  await Promise.all(Array.from({ length: writers }, (_, writer) => work(writer)));
  // Making events is the caller's cost on both sides; it blocks all writers alike and is taken out.
  return { eventsPerSecond: events / ((performance.now() - started - made) / 1000), latenciesMs };
}

const percentile = (values: readonly number[], share: number): number =>
  [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? 0;

const rounded = (value: number): number => Number(value.toPrecision(4));

interface Side {
  next: (writer: number, size: number) => LogRow[];
  append: Append;
}

async function compare(store: Side, raw: Side, writers: number, size: number): Promise<BenchFigure[]> {
  const runs: Record<'store' | 'raw', Measured[]> = { store: [], raw: [] };
  for (let repeat = 0; repeat <= REPEATS; repeat += 1) {
    for (const [name, side] of [
      ['raw', raw],
      ['store', store],
    ] as const) {
      const measured = await measure(writers, size, (writer) => side.next(writer, size), side.append);
      // The first round warms up.
      if (repeat > 0) runs[name].push(measured);
    }
  }
  const rate = (name: 'store' | 'raw'): number => median(runs[name].map(({ eventsPerSecond }) => eventsPerSecond));
  const latency = (name: 'store' | 'raw', share: number): number =>
    percentile(
      runs[name].flatMap(({ latenciesMs }) => latenciesMs),
      share,
    );
  const what = `append, ${writers} writer${writers > 1 ? 's' : ''}, batch ${size}`;
  const figure = (metric: string, value: number, baseline: number, unit: string): BenchFigure => ({
    bench: 'event-store',
    metric: `${what}: ${metric}`,
    value: rounded(value),
    unit,
    baseline: rounded(baseline),
    ratio: rounded(value / baseline),
  });
  return [
    figure('events stored', rate('store'), rate('raw'), '1/s'),
    figure('p50', latency('store', 0.5), latency('raw', 0.5), 'ms'),
    figure('p99', latency('store', 0.99), latency('raw', 0.99), 'ms'),
  ];
}

async function rawSide(
  access: PostgresAccess,
  database: string,
  writers: number,
): Promise<Side & { close(): Promise<void> }> {
  const clients = await Promise.all(
    Array.from({ length: writers }, async () => {
      const client = new Client({ ...access.app, database });
      await client.connect();
      return client;
    }),
  );
  const allocator = new Allocator();
  const prepared = new WeakMap<LogRow[], unknown[]>();
  return {
    next: (writer, size) => {
      const rows = allocator.batch(writer, size);
      const [first, last] = [rows[0]!, rows[rows.length - 1]!];
      prepared.set(rows, [first.streamId, last.version, first.version! - 1, JSON.stringify(rows.map(rawRow))]);
      return rows;
    },
    append: (writer, rows) =>
      clients[writer]!.query({ name: 'raw_append', text: RAW_APPEND, values: prepared.get(rows) }),
    close: async () => {
      await Promise.all(clients.map((client) => client.end()));
    },
  };
}

/** One of the two sides after the other, on databases of their own that grow alike. */
export async function run(): Promise<BenchFigure[]> {
  const dataDir = mkdtempSync(join(tmpdir(), 'moon-bench-store-'));
  const server = await startEmbeddedPostgres({ dataDir });
  const figures: BenchFigure[] = [];
  try {
    const access = await createRoles(server);
    for (const writers of [1, 16]) {
      for (const size of writers === 1 ? [1, 10, 100, 1000] : [1, 10, 100]) {
        const names = [`bench_store_${writers}_${size}`, `bench_raw_${writers}_${size}`] as const;
        for (const name of names) await migrateUp(access, name, 'run');
        const store = new PostgresEventStore(access.app, names[0], { connections: writers });
        const raw = await rawSide(access, names[1], writers);
        const allocator = new Allocator();
        // Makes the month's partitions in both databases.
        await store.appendBatch(allocator.batch(99, 1));
        const other = new PostgresEventStore(access.app, names[1]);
        await other.appendBatch([fillRow({ writer: 99, seq: 1_000_000_000, version: 1 })]);
        await other.close();
        const side = {
          next: (writer: number, count: number) => allocator.batch(writer, count),
          append: (_: number, rows: LogRow[]) => store.appendBatch(rows),
        };
        figures.push(...(await compare(side, raw, writers, size)));
        await store.close();
        await raw.close();
      }
    }
  } finally {
    await server.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }
  return figures;
}

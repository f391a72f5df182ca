import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbeddedPostgres } from '@moon/infra';
import { Engine, LogWriter } from '@moon/kernel';
import type { BenchFigure } from './figure';
import { LiveBench, openStore, plainTicks, type Latencies } from './support/live-bench';

/**
 * The local runtime on the embedded PostgreSQL (fsync on), as `npm start` runs it: risk, consensus, execution and the
 * paper venue with its books on disk on the main thread, the six other built-in agents in one worker, two voters in
 * another. Every tick gets its id, is validated, revalues a portfolio of nine positions, passes all seven agents and the
 * venue, and is archived. Included in the latencies: the wait of a tick that arrives while the thread is busy.
 * tick → order submitted goes through two agents of another thread, a consensus, the limits and the reservation, and
 * ends at the call of the venue, after the signed bytes are stored.
 * Baseline of the rate, in the same run: an engine without handlers that archives the same ticks in the same server.
 */
const SUSTAINED_MS = 15_000;
const RATES = [1_000, 5_000];
const LATENCY_S = 15;

export async function run(): Promise<BenchFigure[]> {
  const bare = await bareRate(60_000);
  const bench = await LiveBench.open([join(__dirname, 'support', 'opener-agents.js')]);
  await bench.atRate(1_000, 3_000);
  const sustained = await bench.asFastAsPossible(SUSTAINED_MS);
  const figures: BenchFigure[] = [
    {
      bench: 'local',
      metric: 'sustained ticks, seven agents, archived',
      value: sustained,
      unit: 'ticks/s',
      baseline: bare,
      ratio: sustained / bare,
    },
    figure('agents behind at its end', bench.lagMs, 'ms'),
  ];
  for (const perSecond of RATES) {
    bench.forget();
    await bench.atRate(perSecond, perSecond * LATENCY_S);
    figures.push(...percentiles(`tick → risk.alert at ${perSecond}/s`, bench.alerts));
    figures.push(...percentiles(`tick → order submitted at ${perSecond}/s`, bench.orders));
    figures.push(figure(`agents behind at the end of ${perSecond}/s`, bench.lagMs, 'ms'));
  }
  const { submitted, problems } = bench;
  const counts = await bench.stop();
  figures.push(figure('ticks that are not in the store', submitted - (counts['price.tick'] ?? 0), 'ticks'));
  if (problems.length > 0) process.stderr.write(`${problems.slice(0, 20).join('\n')}\n`);
  return figures;
}

function figure(metric: string, value: number, unit: string): BenchFigure {
  return { bench: 'local', metric, value, unit, baseline: null, ratio: null };
}

function percentiles(metric: string, latencies: Latencies): BenchFigure[] {
  return [
    figure(`${metric}, p50 of ${latencies.count}`, latencies.percentile(0.5), 'ms'),
    figure(`${metric}, p99`, latencies.percentile(0.99), 'ms'),
    figure(`${metric}, p99.9`, latencies.percentile(0.999), 'ms'),
  ];
}

/** Ticks/s of an engine without a handler, archived. */
async function bareRate(count: number): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'moon-bench-'));
  const server = await startEmbeddedPostgres({ dataDir: folder });
  const { registry, store } = await openStore(server);
  const log = new LogWriter(store, 0);
  const engine = new Engine({ handlers: [], log });
  const start = process.hrtime.bigint();
  for (let sent = 0; sent < count; sent += 1_000) {
    for (const event of plainTicks(1_000, sent)) engine.input(event);
    engine.drain();
    if (log.isFull) await log.room();
    await new Promise((resolve) => setImmediate(resolve));
  }
  await log.durable(engine.lastSeq);
  const seconds = Number(process.hrtime.bigint() - start) / 1e9;
  await store.close();
  await registry.close();
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
  return count / seconds;
}

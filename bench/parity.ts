import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkParity, replay } from '@moon/backtesting';
import { platformConfigSchema, type PlatformConfig } from '@moon/domain';
import { inputId, type AnyEvent } from '@moon/events';
import { createRoles, migrateUp, PostgresEventStore, startEmbeddedPostgres } from '@moon/infra';
import { sourceOf } from '@moon/kernel';
import { Value } from '@sinclair/typebox/value';
import { median, type BenchFigure } from './figure';

/**
 * `moon parity` on a stored log of ticks, with all agents, consensus, limits, orders and portfolio. Baseline in the same
 * run: reading the same log in order, parsed to events, nothing done with them.
 */

const TICKS = 40_000;
const REPEATS = 3;
const DATABASE = 'bench_parity';
const START = Date.UTC(2024, 0, 1);
const STEP_MS = 1_000;
const MARKETS = [
  { token: 'BTC', price: 40_000 },
  { token: 'ETH', price: 2_500 },
];

export async function run(): Promise<BenchFigure[]> {
  const dataDir = mkdtempSync(join(tmpdir(), 'moon-bench-parity-'));
  const server = await startEmbeddedPostgres({ dataDir });
  try {
    const access = await createRoles(server);
    await migrateUp(access, DATABASE, 'run');
    const store = new PostgresEventStore(access.app, DATABASE);
    try {
      return await measure(store);
    } finally {
      await store.close();
    }
  } finally {
    await server.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

async function measure(store: PostgresEventStore): Promise<BenchFigure[]> {
  const feedInstruments = MARKETS.map(({ token }) => `${token}.HYPERLIQUID`);
  await replay({
    ...{ platform: platform(), source: sourceOf(ticks()), feedInstruments, startsAt: START, store },
    ...{ modelLatency: { minMs: 100, maxMs: 300 }, orderTimeToLiveMs: 15_000 },
  });
  const [read, compared]: [number[], number[]] = [[], []];
  let share = 0;
  let memory = 0;
  for (let repeat = 0; repeat < REPEATS; repeat += 1) {
    const events = await rateOf(read, async () => {
      let rows = 0;
      for await (const row of store.readLog(0)) if (row.seq > 0) rows += 1;
      return rows;
    });
    await rateOf(compared, async () => {
      const report = await checkParity({ store, codeVersion: 'replay' });
      if (!report.equal) throw new Error(`The log is not equal: ${report.firstDivergence?.says}`);
      share = report.compared / events;
      return report.events;
    });
    memory = Math.max(memory, process.memoryUsage().rss);
  }
  const [value, baseline] = [median(compared), median(read)];
  const metric = `log compared, ${(share * 100).toFixed(0)} % of it emitted`;
  return [
    { bench: 'parity', metric, value, unit: 'events/s', baseline, ratio: value / baseline },
    { bench: 'parity', metric: 'memory', value: memory / 2 ** 20, unit: 'MiB', baseline: null, ratio: null },
  ];
}

async function rateOf(rates: number[], work: () => Promise<number>): Promise<number> {
  const startedAt = performance.now();
  const events = await work();
  rates.push((events / (performance.now() - startedAt)) * 1_000);
  return events;
}

function platform(): PlatformConfig {
  const opening = { minScore: 55, minConfidence: 0.3, minIntervalMs: 60_000 };
  return Value.Default(platformConfigSchema, {
    portfolios: [{ name: 'main' }],
    consensus: { minimumAgents: 1, threshold: 55, cooldownMs: 0 },
    agents: { trading: { opening }, chart: { opening } },
  }) as PlatformConfig;
}

/** A tick a second and token, with trends that last about an hour; the same every time. */
function ticks(): AnyEvent[] {
  const random = lehmer(7);
  const states = MARKETS.map((market) => ({ ...market, drift: 0, left: 0 }));
  return Array.from({ length: TICKS }, (_, index) => {
    const state = states[index % states.length]!;
    if (state.left === 0) Object.assign(state, { drift: (random() - 0.5) * 2e-5, left: 1_800 + random() * 3_600 });
    state.left = Math.max(0, Math.floor(state.left) - 1);
    state.price = Number((state.price * Math.exp(state.drift + (random() - 0.5) * 4e-5)).toFixed(2));
    return tick(state, START + Math.floor(index / states.length) * STEP_MS);
  });
}

function tick({ token, price }: { token: string; price: number }, at: number): AnyEvent {
  const instrument = `${token}.HYPERLIQUID`;
  const id = inputId({ source: 'bench', kind: 'price.tick', instrument, venueTime: at, values: [] });
  const data = { event_type: 'price.tick', token, price, volume_1m: 1_000, timestamp: at, instrument, kind: 'last' };
  return {
    ...{ id, type: 'price.tick', schemaVersion: 1, source: 'feed/bench', key: token, occurredAt: at },
    ...{ correlationId: id, causationId: null, data, headers: { mode: 'recorded' } },
  } as AnyEvent;
}

/** Uniform numbers in [0, 1) that are the same every time: Lehmer's generator. */
function lehmer(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
}

import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { PaperVenue } from '@moon/app-execution';
import { paperSigner } from '@moon/backtesting';
import { platformConfigSchema, venueSources, type PlatformConfig } from '@moon/domain';
import { inputId, validateEvent, type AnyEvent } from '@moon/events';
import {
  createRoles,
  RunRegistry,
  startEmbeddedPostgres,
  type EmbeddedServer,
  type PostgresEventStore,
} from '@moon/infra';
import { RunningClock, startLiveRun, type Feed, type FeedSink, type LiveRun } from '@moon/kernel';
import { Value } from '@sinclair/typebox/value';
import { DECIDE } from './opener-agents';
import type { Arrival } from './ticker.worker';

const TOKENS = ['BTC', 'ETH', 'SOL', 'XRP', 'DOGE', 'BNB', 'AVAX', 'LINK', 'ARB'];
const INSTRUMENTS = TOKENS.map((token) => `${token}.HYPERLIQUID`);
const PRICE = 100;
/** Files here live in memory (Linux). */
const MEMORY_FOLDER = '/dev/shm';
/** Run time per wall time: so that the windows of the risk agent pass quickly enough for many alerts. */
const SPEED = 20;
/** Wall time between two jumps of the price of one instrument, ms. */
const JUMP_EVERY_MS = 110;
/** Agents that are bad on purpose. */
const PLANTED = new Set(['agent/bench-busy', 'agent/bench-throwing', 'agent/bench-hanging']);
/** Wall time between two decisions, ms. */
const DECIDE_EVERY_MS = 40;

/** Positions in everything, so that every tick revalues the portfolio; a jump of 3 % within a second is an alert. */
function platformConfig(): PlatformConfig {
  const portfolio = {
    name: 'main',
    deposit: '10000000',
    instruments: INSTRUMENTS.map((instrument) => ({ instrument, leverage: 3 })),
    positions: INSTRUMENTS.map((instrument) => ({ instrument, side: 'long', quantity: '100', price: String(PRICE) })),
    sizing: { mode: 'fraction', fraction: 0.001, scaleByConfidence: false },
    limits: { orders_per_second: 10_000, duplicate_order: 0, price_collar: 0.5 },
  };
  const voters = ['bench_opener', 'bench_seconder'].map((agent) => ({ agent, weight: 1 }));
  return Value.Default(platformConfigSchema, {
    portfolios: [portfolio],
    agents: { risk: { moveThreshold: 0.02, moveWindowMs: 1_000, clearAfterMs: 0 } },
    consensus: { voters, cooldownMs: 0 },
  }) as PlatformConfig;
}

/** Latencies of one kind, ms. */
export class Latencies {
  private readonly values: number[] = [];

  add(ms: number): void {
    this.values.push(ms);
  }

  get count(): number {
    return this.values.length;
  }

  /** @param share 0.99 = the value that 99 % do not exceed */
  percentile(share: number): number {
    const sorted = [...this.values].sort((a, b) => a - b);
    return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
  }
}

/** A feed whose ticks the bench makes: with ids, validated, as a real one's. */
class BenchFeed implements Feed {
  readonly name = 'bench';
  readonly mode = 'synthetic';
  sink: FeedSink | null = null;
  isPaused = false;
  private readonly jumpedAt = TOKENS.map((_, index) => Date.now() + index * 30);
  private decidedAt = Date.now();
  private ticks = 0;

  constructor(private readonly clock: RunningClock) {}

  instruments(): string[] {
    return INSTRUMENTS;
  }
  warmup(): Promise<AnyEvent[]> {
    return Promise.resolve([]);
  }
  start(sink: FeedSink): Promise<void> {
    this.sink = sink;
    return Promise.resolve();
  }
  pause(): void {
    this.isPaused = true;
  }
  resume(): void {
    this.isPaused = false;
  }
  stop(): Promise<void> {
    this.sink = null;
    return Promise.resolve();
  }
  status(): never {
    throw new Error('Nobody asks the feed of a bench.');
  }

  /** The next tick of the next instrument. */
  tick(): AnyEvent {
    const number = (this.ticks += 1);
    const index = number % TOKENS.length;
    const wall = Date.now();
    const jumps = wall - (this.jumpedAt[index] ?? 0) > JUMP_EVERY_MS;
    if (jumps) this.jumpedAt[index] = wall;
    const decides = !jumps && wall - this.decidedAt > DECIDE_EVERY_MS;
    if (decides) this.decidedAt = wall;
    const price = jumps ? PRICE * 1.03 : PRICE + ((number * 7) % 11) / 100;
    return tickEvent(index, price, this.clock.now(), `${decides ? DECIDE : ''}${number}`);
  }
}

function tickEvent(index: number, price: number, timestamp: number, tradeId: string): AnyEvent {
  const [token, instrument] = [TOKENS[index] ?? '', INSTRUMENTS[index] ?? ''];
  const id = inputId({
    source: 'bench',
    kind: 'price.tick',
    instrument,
    venueTime: timestamp,
    values: [price, tradeId],
  });
  const trade = { kind: 'last' as const, size: 1, side: 'buy' as const, tradeId };
  return validateEvent({
    ...{ id, type: 'price.tick', schemaVersion: 1, source: 'feed/bench', key: token, occurredAt: timestamp },
    ...{ correlationId: id, causationId: null, headers: { mode: 'synthetic' } },
    data: { event_type: 'price.tick', token, price, volume_1m: 1_000, timestamp, instrument, ...trade },
  });
}

/** The platform on real embedded PostgreSQL, with ticks at a bench's pace and its latencies taken. */
export class LiveBench {
  readonly alerts = new Latencies();
  readonly orders = new Latencies();
  readonly problems: string[] = [];
  private readonly arrivals = new Map<string, number>();
  private readonly submissions = new Map<string, number>();
  submitted = 0;

  private constructor(
    readonly run: LiveRun,
    readonly store: PostgresEventStore,
    private readonly feed: BenchFeed,
    private readonly close: () => Promise<void>,
  ) {}

  /** @param isInMemory keeps database and venue books in memory, where there is a folder for that: no disk is waited for */
  static async open(userAgents: readonly string[], isInMemory = false): Promise<LiveBench> {
    const parent = isInMemory && existsSync(MEMORY_FOLDER) ? MEMORY_FOLDER : tmpdir();
    const folder = mkdtempSync(join(parent, 'moon-bench-'));
    const server = await startEmbeddedPostgres({ dataDir: folder });
    const { registry, store } = await openStore(server);
    const clock = new RunningClock(SPEED);
    const feed = new BenchFeed(clock);
    const platform = platformConfig();
    const sources = venueSources(platform, INSTRUMENTS, INSTRUMENTS, { priceSources: {}, fundingSources: {} });
    const venue = new PaperVenue({ config: sources, directory: join(folder, 'venue') });
    const submit = venue.submit.bind(venue);
    venue.submit = (order) => {
      bench.sent(order.orderId);
      return submit(order);
    };
    const run = await startLiveRun({
      ...{ runId: 'bench', codeVersion: 'bench', platform, store, venue, isVenueRemote: false, signer: paperSigner },
      ...{ feed, clock, modelLatency: { minMs: 0, maxMs: 0 }, orderTimeToLiveMs: 60_000 * SPEED },
      ...{ userAgents, checkpointMs: 20_000 },
      onEvent: (event) => bench.seen(event),
      onProblem: (message, context) => bench.problems.push(`${message} ${JSON.stringify(context)}`),
      onFatal: (error) => bench.problems.push(`FATAL ${error.stack ?? error.message}`),
    });
    const bench = new LiveBench(run, store, feed, async () => {
      venue.close();
      await store.close();
      await registry.close();
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    });
    await run.agentsReady();
    await run.begin();
    return bench;
  }

  /** Ticks at a fixed rate, for as long as `count` of them take. Latencies count from a tick's arrival. */
  async atRate(perSecond: number, count: number): Promise<void> {
    const worker = new Worker(join(__dirname, 'ticker.worker.js'), { workerData: { perSecond, stopAfter: count } });
    await new Promise<void>((resolve, reject) => {
      worker.on('error', reject);
      worker.on('exit', () => resolve());
      worker.on('message', ({ count: arrived, atNs }: Arrival) => {
        for (let index = 0; index < arrived; index += 1) this.take(atNs);
      });
    });
    await this.settle();
  }

  /** As many ticks as the platform can take for a while: what waits for the store and for agents is bounded. @returns ticks/s */
  async asFastAsPossible(forMs: number): Promise<number> {
    const from = this.submitted;
    const start = process.hrtime.bigint();
    const end = start + BigInt(forMs) * 1_000_000n;
    while (process.hrtime.bigint() < end) {
      for (let index = 0; index < 64 && this.hasRoom; index += 1) this.take(process.hrtime.bigint());
      await new Promise((resolve) => setImmediate(resolve));
    }
    await this.settle();
    return (this.submitted - from) / (Number(process.hrtime.bigint() - start) / 1e9);
  }

  /** The worst lag of agents that are not planted to lag, ms. */
  get lagMs(): number {
    return Math.max(...this.run.agents.lags().map(({ agent, lagMs }) => (PLANTED.has(agent) ? 0 : lagMs)));
  }

  async stop(): Promise<Record<string, number>> {
    const { eventsByType } = await this.run.stop('the bench is over');
    await this.close();
    return eventsByType;
  }

  forget(): void {
    Object.assign(this, { alerts: new Latencies(), orders: new Latencies() });
  }

  private get hasRoom(): boolean {
    return (
      this.run.log.backlog < 4_000 &&
      this.run.agents.lags().every(({ agent, queued }) => queued < 4_000 || PLANTED.has(agent))
    );
  }

  private take(atNs: bigint): void {
    if (this.feed.isPaused || !this.feed.sink) return;
    const event = this.feed.tick();
    this.arrivals.set(event.id, Number(atNs) / 1e6);
    if (this.arrivals.size > 50_000) this.arrivals.delete(this.arrivals.keys().next().value ?? '');
    this.submitted += 1;
    this.feed.sink.submit(event);
  }

  private seen(event: AnyEvent): void {
    if (event.type === 'risk.alert') this.note(this.alerts, event.correlationId);
    if (event.type === 'order.submitted') {
      const arrived = this.arrivals.get(event.correlationId);
      if (arrived !== undefined) this.submissions.set(event.data.order_id, arrived);
    }
  }

  private sent(orderId: string): void {
    const arrived = this.submissions.get(orderId);
    if (arrived !== undefined) this.orders.add(now() - arrived);
    this.submissions.delete(orderId);
  }

  private note(latencies: Latencies, tickId: string): void {
    const arrived = this.arrivals.get(tickId);
    if (arrived !== undefined) latencies.add(now() - arrived);
  }

  /** Until everything is handled and stored, agents that are meant to be behind left out. */
  private async settle(): Promise<void> {
    await this.run.log.durable(this.run.engine.lastSeq);
    for (let tries = 0; tries < 100 && this.lagMs > 0; tries += 1)
      await new Promise((resolve) => setTimeout(resolve, 10));
    await this.run.log.durable(this.run.engine.lastSeq);
  }
}

/** Ticks without a platform, for baselines. */
export function plainTicks(count: number, from: number): AnyEvent[] {
  const at = Date.UTC(2026, 0, 5);
  return Array.from({ length: count }, (_, index) => {
    const number = from + index;
    return tickEvent(number % TOKENS.length, PRICE + ((number * 7) % 11) / 100, at + number, String(number));
  });
}

/** An empty log on a server. */
export async function openStore(server: EmbeddedServer): Promise<{ registry: RunRegistry; store: PostgresEventStore }> {
  const registry = await RunRegistry.open(await createRoles(server));
  const { run } = await registry.openRun({ mode: 'live' });
  return { registry, store: registry.openStore(run) };
}

/** Monotonic clock, ms. */
function now(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

import { replay } from '@moon/backtesting';
import { platformConfigSchema, type PlatformConfig } from '@moon/domain';
import { inputId, type AnyEvent, type EmitData } from '@moon/events';
import { Engine, LockstepRuntime, sourceOf, VolatileLog } from '@moon/kernel';
import { Value } from '@sinclair/typebox/value';
import { median, type BenchFigure } from './figure';

/**
 * The replay runtime in virtual time: all seven agents, normalisers, consensus with the rule-based model, limits, venue,
 * ledger and read model on generated one-minute bars of two instruments, each bar as its opening and its end. Every event
 * goes to a volatile log and is hashed by id. Left out: reading files, a store.
 * Baseline in the same run: the same runtime and inputs without a handler and without a venue.
 */
const BARS = 30_000;
const REPEATS = 3;
const START = Date.UTC(2024, 0, 1);
const MINUTE = 60_000;
const MARKETS = [
  { token: 'BTC', instrument: 'BTCUSDT.BINANCE-SPOT', price: 40_000 },
  { token: 'ETH', instrument: 'ETHUSDT.BINANCE-SPOT', price: 2_500 },
];

export async function run(): Promise<BenchFigure[]> {
  const inputs = bars();
  const platform = Value.Default(platformConfigSchema, {
    projection: { enabled: false },
    portfolios: [
      {
        name: 'main',
        instruments: ['BTC', 'ETH'].map((token) => ({ instrument: `${token}.HYPERLIQUID`, leverage: 3 })),
      },
    ],
  }) as PlatformConfig;
  const rates: number[] = [];
  const bare: number[] = [];
  let perBar = 0;
  let orders = 0;
  for (let repeat = 0; repeat < REPEATS; repeat += 1) {
    bare.push(await bareRate(inputs));
    const start = process.hrtime.bigint();
    const result = await replay({
      platform,
      source: sourceOf(inputs),
      feedInstruments: MARKETS.map(({ instrument }) => instrument),
      startsAt: START,
      ...{ modelLatency: { minMs: 100, maxMs: 300 }, orderTimeToLiveMs: 15_000 },
    });
    rates.push(BARS / seconds(start));
    perBar = result.events / BARS;
    orders = result.orders;
  }
  const [bars_, baseline] = [median(rates), median(bare)];
  return [
    figure(`all agents, ${orders} orders`, bars_, 'bars/s', baseline),
    figure(`all agents, ${perBar.toFixed(1)} events a bar`, bars_ * perBar, 'events/s', null),
  ];
}

function figure(metric: string, value: number, unit: string, baseline: number | null): BenchFigure {
  return { bench: 'replay', metric, value, unit, baseline, ratio: baseline === null ? null : value / baseline };
}

async function bareRate(inputs: readonly AnyEvent[]): Promise<number> {
  const log = new VolatileLog();
  const engine = new Engine({ handlers: [], log });
  const runtime = new LockstepRuntime({ engine, log, source: sourceOf(inputs), headers: {} });
  const start = process.hrtime.bigint();
  await runtime.run();
  return BARS / seconds(start);
}

const seconds = (since: bigint): number => Number(process.hrtime.bigint() - since) / 1e9;

/** Trends that last about an hour, so that trend followers trade; the same every time. */
function bars(): AnyEvent[] {
  const events: AnyEvent[] = [];
  const random = lehmer(7);
  const states = MARKETS.map((market) => ({ ...market, drift: 0, left: 0 }));
  for (let minute = 0; minute < BARS / MARKETS.length; minute += 1) {
    const openedAt = START + minute * MINUTE;
    const made = states.map((state) => {
      if (state.left === 0)
        Object.assign(state, { drift: (random() - 0.5) * 0.001, left: 30 + Math.floor(random() * 60) });
      state.left -= 1;
      const open = state.price;
      state.price = Number((open * Math.exp(state.drift + (random() - 0.5) * 0.0006)).toFixed(2));
      return bar(state, openedAt, { open, close: state.price, volume: 5 + Math.floor(random() * 40) });
    });
    events.push(...made.map(([opened]) => opened), ...made.map(([, closed]) => closed));
  }
  return events;
}

function bar(
  { token, instrument }: { token: string; instrument: string },
  openedAt: number,
  { open, close, volume }: { open: number; close: number; volume: number },
): [AnyEvent, AnyEvent] {
  const at = openedAt + MINUTE;
  const common = { token, instrument, intervalMs: MINUTE, open };
  const range = { high: Math.max(open, close), low: Math.min(open, close), close, volume };
  return [
    input('bar.opened', openedAt, { ...common, timestamp: openedAt }),
    input('bar.closed', at, { ...common, ...range, timestamp: at, openedAt }),
  ];
}

function input<T extends 'bar.opened' | 'bar.closed'>(type: T, at: number, data: EmitData<T>): AnyEvent {
  const { token, instrument } = data;
  const id = inputId({ source: 'bench', kind: type, instrument, venueTime: at, values: [] });
  return {
    ...{
      id,
      type,
      schemaVersion: 1,
      source: 'feed/bench',
      key: token,
      occurredAt: at,
      correlationId: id,
      causationId: null,
    },
    data: { event_type: type, ...data },
    headers: { mode: 'recorded' },
  } as unknown as AnyEvent;
}

/** Uniform numbers in [0, 1) that are the same every time: Lehmer's generator. */
function lehmer(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
}

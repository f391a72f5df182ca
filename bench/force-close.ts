import { replay } from '@moon/backtesting';
import { platformConfigSchema, type PlatformConfig } from '@moon/domain';
import { inputId, type AnyEvent, type EventType } from '@moon/events';
import { sourceOf } from '@moon/kernel';
import { Value } from '@sinclair/typebox/value';
import { median, type BenchFigure, type BenchSize } from './figure';

/**
 * Force close (RSK-5): the wall time from a tick that takes a leveraged position into its critical buffer to the close order
 * that is ready for the venue, and to the closed position, on all handlers with the real limits, venue and ledger; without
 * a store, latencies of the venue or a thread. Each repeat is a run of its own with one force close.
 * Baseline in the same run: a tick of the same run that changes nothing.
 */
const SIZES = { full: 40, short: 3 } as const;
/** Repeats before those that count. */
const WARM_UP = { full: 10, short: 0 } as const;
const CALM_TICKS = 200;
const START = Date.UTC(2026, 0, 5);
const SECOND = 1_000;
const INSTRUMENT = 'BTC.HYPERLIQUID';
const PRICE = 100_000;
/** A long of 3× is liquidated a third below its entry: this leaves it a buffer of about 7 %. */
const CRITICAL_PRICE = 72_500;

/** What a force close must consist of, in this order. */
const CHAIN: readonly EventType[] = [
  'risk.critical',
  'trade.force_close',
  'order.requested',
  'order.submitted',
  'position.closed',
];

export async function run(size: BenchSize = 'full'): Promise<BenchFigure[]> {
  const measured: Measured[] = [];
  for (let repeat = 0; repeat < SIZES[size] + WARM_UP[size]; repeat += 1) measured.push(await forceClose());
  const counted = measured.slice(WARM_UP[size]);
  const baseline = median(counted.map(({ calm }) => calm));
  const figure = (metric: string, of: (one: Measured) => number): BenchFigure => {
    const value = median(counted.map(of));
    return { bench: 'force-close', metric, value, unit: 'µs', baseline, ratio: value / baseline };
  };
  return [
    figure('critical tick → validated close order', ({ requested }) => requested),
    figure('critical tick → signed order for the venue', ({ submitted }) => submitted),
    figure('critical tick → position closed', ({ closed }) => closed),
  ];
}

/** Wall times, µs. */
interface Measured {
  /** A tick that changes nothing, median. */
  calm: number;
  requested: number;
  submitted: number;
  closed: number;
}

async function forceClose(): Promise<Measured> {
  const at = new Map<EventType, number>();
  const calm: number[] = [];
  let tickAt = 0;
  const onEvent = ({ type, data }: AnyEvent): void => {
    const now = Number(process.hrtime.bigint()) / 1_000;
    if (type === 'price.tick') {
      if (tickAt > 0 && at.size === 0) calm.push(now - tickAt);
      tickAt = now;
    } else if (CHAIN.includes(type) && !at.has(type)) at.set(type, now - tickAt);
    if (type === 'order.requested' && data.reduceOnly !== true)
      throw new Error(`The close order is not reduce-only: ${JSON.stringify(data)}.`);
  };
  const prices = Array.from({ length: CALM_TICKS }, (_, index) => PRICE + (index % 7));
  const inputs = [...prices, CRITICAL_PRICE].map(tick);
  const none = { minMs: 0, maxMs: 0 };
  const result = await replay({
    platform: platform(),
    source: sourceOf(inputs),
    ...{ feedInstruments: [INSTRUMENT], startsAt: START, onEvent },
    ...{ modelLatency: none, orderTimeToLiveMs: 15_000 },
    venue: { latency: { order: none, ack: none } },
  });
  const order = [...at.keys()].join(', ');
  if (order !== CHAIN.join(', ')) throw new Error(`A force close is ${CHAIN.join(', ')}; there was ${order}.`);
  const [portfolio] = result.portfolios;
  if (!portfolio || portfolio.positions.length > 0) throw new Error('The force close left a position.');
  const of = (type: EventType): number => at.get(type) ?? Number.NaN;
  return {
    calm: median(calm),
    requested: of('order.requested'),
    submitted: of('order.submitted'),
    closed: of('position.closed'),
  };
}

function platform(): PlatformConfig {
  return Value.Default(platformConfigSchema, {
    portfolios: [
      {
        name: 'main',
        deposit: '100000',
        marginMode: 'isolated',
        instruments: [{ instrument: INSTRUMENT, leverage: 3 }],
        positions: [{ instrument: INSTRUMENT, side: 'long', quantity: '1', price: String(PRICE) }],
        subscriptions: { consensus: false },
      },
    ],
  }) as PlatformConfig;
}

function tick(price: number, index: number): AnyEvent {
  const timestamp = START + index * SECOND;
  const about = { source: 'bench', kind: 'price.tick', instrument: INSTRUMENT, venueTime: timestamp };
  const id = inputId({ ...about, values: [price] });
  const data = { token: 'BTC', price, volume_1m: 1_000_000, timestamp, instrument: INSTRUMENT, kind: 'last', size: 10 };
  return {
    ...{ id, type: 'price.tick', schemaVersion: 1, source: 'feed/bench', key: 'BTC', occurredAt: timestamp },
    ...{ correlationId: id, causationId: null, headers: { mode: 'recorded' } },
    data: { event_type: 'price.tick', ...data, side: 'buy', tradeId: String(index) },
  } as unknown as AnyEvent;
}

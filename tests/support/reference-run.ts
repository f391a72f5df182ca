import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { inputId, type AnyEvent } from '@moon/events';
import { add, fromNumber, mul, toNumber, type PlatformConfig } from '@moon/domain';
import { loadStrategies, replay, type ReplayOptions, type ReplayResult } from '@moon/backtesting';
import type { InputSource } from '@moon/kernel';
import { platformConfig, recordedInputs, replayOptions } from './recorded';

/** The reference run (`reference/sma-2022.json`) through the whole path: agent → consensus → limits → order → venue → ledger. */

const DATA = join(process.env.MOON_SHARED ?? resolve(__dirname, '../../../shared'), 'data');
export const BARS_FILE = join(DATA, 'candles/BTCUSDT-1m-2022.csv.gz');
export const EXAMPLES = resolve(__dirname, '../../examples');
const INSTRUMENT = 'BTCUSDT.BINANCE-SPOT';
const MINUTE = 60_000;
const TICK_MS = 15_000;

export type Convention = 'next_open' | 'signal_close' | 'tick_next' | 'tick_same';

/** What the reference states of a run, in its own words. */
export interface ReferenceResult {
  fills: number;
  fills_sha256: string;
  fees_decimal: string;
  final_cash_decimal: string;
  final_equity_decimal: string;
  final_position: number;
}

interface Reference extends ReferenceResult {
  start: number;
  observations: number;
  closed_trades: number;
  max_drawdown: number;
  sharpe_daily_365: number;
  win_rate: number;
  profit_factor: number;
}

export function referenceOf(convention: Convention): Reference {
  const { results } = JSON.parse(readFileSync(join(DATA, 'reference/sma-2022.json'), 'utf8')) as {
    results: Record<Convention, Reference>;
  };
  return results[convention];
}

/** A run of one convention over a part of the year. */
export interface Played {
  result: ReplayResult;
  found: ReferenceResult;
  /** How many limits were judged for the orders that were approved. */
  limitsChecked: number;
}

/** Plays what lies before `to` (epoch ms). */
export async function play(convention: Convention, to: number): Promise<Played> {
  const isOnTicks = convention.startsWith('tick');
  const platform = referencePlatform(isOnTicks);
  const hash = createHash('sha256');
  let fills = 0;
  let limitsChecked = 0;
  let lastPrice = 0;
  const onEvent = (event: AnyEvent): void => {
    if (event.type === 'bar.closed') lastPrice = event.data.close;
    else if (event.type === 'price.tick') lastPrice = event.data.price;
    else if (event.type === 'order.approved') limitsChecked += event.data.limitsChecked;
    else if (event.type === 'trade.executed') {
      fills += 1;
      // A bar stands for its close only at its end: the reference stamps that price with the bar's open.
      const stamp = convention === 'signal_close' ? event.occurredAt - MINUTE : event.occurredAt;
      const { side, quantity, price } = event.data;
      hash.update(`${stamp},${side === 'buy' ? 'B' : 'S'},${toNumber(quantity)},${toNumber(price).toFixed(2)}\n`);
    }
  };
  const result = await replay({
    ...(isOnTicks ? tickOptions(platform, to) : await barOptions(platform, to)),
    strategies: loadStrategies(
      [{ path: 'strategies/sma-flip.ts', config: { on: isOnTicks ? 'ticks' : 'bars' } }],
      EXAMPLES,
    ),
    venue: { marketFill: /next/.test(convention) ? 'next' : 'last', fees: { takerBps: 5 } },
    modelLatency: { minMs: 0, maxMs: 0 },
    onEvent,
  });
  const portfolio = result.portfolios[0]!;
  const quantity = portfolio.positions[0]?.quantity ?? '0';
  const found = {
    fills,
    fills_sha256: hash.digest('hex'),
    fees_decimal: portfolio.fees,
    final_cash_decimal: portfolio.cash,
    final_equity_decimal: add(portfolio.cash, mul(quantity, fromNumber(lastPrice))),
    final_position: toNumber(quantity),
  };
  return { result, found, limitsChecked };
}

/** The configuration that the reference describes: one voter, no cool-down, ±1 BTC, limits wide but judged. */
function referencePlatform(isOnTicks: boolean): PlatformConfig {
  return platformConfig({
    switchedOff: [
      ...['trading', 'chart', 'sentiment', 'funding', 'liquidation', 'correlation'].map((name) => `agent/${name}`),
      ...['bars', 'liquidations', 'sentiment'].map((name) => `normaliser/${name}`),
    ],
    consensus: { minimumAgents: 1, cooldownMs: 0 },
    projection: { enabled: false },
    portfolios: [
      {
        name: 'main',
        accountModel: 'cash-short-credit',
        settlementAsset: 'USDT',
        deposit: isOnTicks ? '10000000' : '1000000',
        instruments: [{ instrument: INSTRUMENT, leverage: 1 }],
        sizing: { mode: 'target', quantity: '1' },
        limits: {
          max_leverage: 1_000,
          position_limit: 1_000,
          gross_exposure: 1e12,
          order_value: 1e9,
          price_collar: 1,
          drawdown_total: 1,
          drawdown_day: 1,
          orders_per_second: 10_000,
          duplicate_order: 0,
          price_stale: 86_400_000,
        },
      },
    ],
  });
}

async function barOptions(platform: PlatformConfig, to: number): Promise<ReplayOptions> {
  // The last bar closes at the end itself, which a range leaves out.
  return replayOptions(await recordedInputs([BARS_FILE], { to: new Date(to + 1).toISOString() }), platform);
}

function tickOptions(platform: PlatformConfig, to: number): ReplayOptions {
  const bars = readBars().filter(([stamp]) => stamp < to);
  return {
    platform,
    source: ticksOf(bars),
    feedInstruments: [INSTRUMENT],
    startsAt: bars[0]![0],
    modelLatency: { minMs: 0, maxMs: 0 },
    orderTimeToLiveMs: 15_000,
  };
}

type Bar = [stamp: number, open: number, high: number, low: number, close: number];

function readBars(): Bar[] {
  const lines = gunzipSync(readFileSync(BARS_FILE)).toString('utf8').trim().split('\n').slice(1);
  return lines.map((line) => {
    const [stamp, , open, high, low, close] = line.split(',');
    return [stamp, open, high, low, close].map(Number) as Bar;
  });
}

/** Four ticks a bar: open, high, low, close at +0, +15, +30 and +45 s. */
function ticksOf(bars: readonly Bar[]): InputSource {
  let next = 0;
  return {
    nextBatch: () => {
      const batch = bars
        .slice(next, (next += 1_000))
        .flatMap(([stamp, ...prices]) => prices.map((price, index) => tick(stamp + index * TICK_MS, price)));
      return Promise.resolve(batch.length === 0 ? null : batch);
    },
  };
}

function tick(timestamp: number, price: number): AnyEvent {
  const id = inputId({
    source: 'ohlc',
    kind: 'price.tick',
    instrument: INSTRUMENT,
    venueTime: timestamp,
    values: [price],
  });
  return {
    ...{ id, type: 'price.tick', schemaVersion: 1, source: 'feed/ohlc', key: 'BTC', occurredAt: timestamp },
    ...{ correlationId: id, causationId: null, headers: { mode: 'recorded' } },
    data: {
      event_type: 'price.tick',
      token: 'BTC',
      price,
      volume_1m: 0,
      timestamp,
      instrument: INSTRUMENT,
      kind: 'last',
    },
  };
}

/** The reference's rule once more, in whole numbers and with nothing of the platform: for parts of the year. */
export function reckon(convention: Convention, start: number, to: number): ReferenceResult {
  const observations = readBars()
    .filter(([stamp]) => stamp <= to)
    .flatMap(([stamp, open, high, low, close]): [number, number, number][] =>
      convention.startsWith('tick')
        ? [open, high, low, close].map((price, index) => [stamp + index * TICK_MS, price, price])
        : [[stamp, open, close]],
    );
  const cents = observations.filter(([stamp]) => stamp < to).map(([, , price]) => BigInt(Math.round(price * 100)));
  const hash = createHash('sha256');
  // In units of 10⁻⁶: prices have two places, the fee five in ten thousand four more.
  let [cash, fees, position, fills, state] = [BigInt(start) * 1_000_000n, 0n, 0n, 0, 0];
  for (let i = 49; i < cents.length; i += 1) {
    const sum = (length: number): bigint => cents.slice(i + 1 - length, i + 1).reduce((total, one) => total + one, 0n);
    const difference = 5n * sum(20) - 2n * sum(50);
    const side = difference > 0n ? 1 : difference < 0n ? -1 : state;
    const isSignal = side !== state && state !== 0;
    state = side;
    const at = /next/.test(convention) ? i + 1 : i;
    // On bars the open at the end itself is still seen; on ticks nothing is.
    const fill = convention.startsWith('tick') && at >= cents.length ? undefined : observations[at];
    if (!isSignal || !fill) continue;
    const price = BigInt(Math.round(fill[/next/.test(convention) ? 1 : 2] * 100));
    const quantity = BigInt(side) - position;
    const size = quantity < 0n ? -quantity : quantity;
    const fee = price * size * 5n;
    cash -= price * quantity * 10_000n + fee;
    fees += fee;
    position = BigInt(side);
    fills += 1;
    hash.update(`${fill[0]},${side > 0 ? 'B' : 'S'},${size},${(Number(price) / 100).toFixed(2)}\n`);
  }
  const last = cents[cents.length - 1] ?? 0n;
  return {
    fills,
    fills_sha256: hash.digest('hex'),
    fees_decimal: decimal(fees),
    final_cash_decimal: decimal(cash),
    final_equity_decimal: decimal(cash + position * last * 10_000n),
    final_position: Number(position),
  };
}

function decimal(millionths: bigint): string {
  const [whole = '', places = ''] = [millionths / 1_000_000n, millionths % 1_000_000n].map(String);
  return `${whole}.${places.padStart(6, '0')}`.replace(/\.?0+$/, '');
}

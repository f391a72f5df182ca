import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { add, fromNumber, mul, toNumber } from '@moon/domain';
import type { VenueReport } from '@moon/kernel';
import { createVenueEngine, type VenueConfig, type VenueEngine } from '.';
import { marketEvent, paperDesk, T0 } from '../testing/venue-desk';

const data = join(process.env.MOON_SHARED ?? resolve(__dirname, '../../../../../shared'), 'data');
const INSTRUMENT = 'BTCUSDT.BINANCE-SPOT';
const MINUTE = 60_000;

interface Expected {
  start: number;
  fills: number;
  final_equity_decimal: string;
  final_cash_decimal: string;
  final_position: number;
  fees_decimal: string;
  fills_sha256: string;
}
const reference = JSON.parse(readFileSync(join(data, 'reference/sma-2022.json'), 'utf8')) as {
  results: Record<string, Expected>;
};

/** Rows of the file: stamp, open, high, low, close, volume. */
const bars = gunzipSync(readFileSync(join(data, 'candles/BTCUSDT-1m-2022.csv.gz')))
  .toString('utf8')
  .trim()
  .split('\n')
  .slice(1)
  .map((line) => {
    const [stamp, , open, high, low, close, volume] = line.split(',');
    return [stamp, open, high, low, close, volume].map(Number) as [number, number, number, number, number, number];
  });

/** The reference rule: sign of 5·S20 − 2·S50 in exact integers (cents); zero keeps the last sign, the first sets the state. */
function createFlipRule(): (price: number) => 'buy' | 'sell' | null {
  const cents: number[] = [];
  let sum20 = 0;
  let sum50 = 0;
  let state = 0;
  return (price) => {
    const value = Math.round(price * 100);
    cents.push(value);
    sum20 += value - (cents.length > 20 ? (cents[cents.length - 21] as number) : 0);
    sum50 += value - (cents.length > 50 ? (cents[cents.length - 51] as number) : 0);
    if (cents.length < 50) return null;
    const sign = Math.sign(5 * sum20 - 2 * sum50) || state;
    if (sign === state) return null;
    const isFirst = state === 0;
    state = sign;
    if (isFirst) return null;
    return sign > 0 ? 'buy' : 'sell';
  };
}

/** Drives the engine with nothing around it: the rule gives the side, the venue does the rest. */
class Drive {
  readonly hash = createHash('sha256');
  readonly engine: VenueEngine;
  fills = 0;
  private readonly desk = paperDesk();
  private orders = 0;
  private decidedAt = 0;

  constructor(
    start: number,
    marketFill: VenueConfig['marketFill'],
    private readonly stampOf: (report: VenueReport, decidedAt: number) => number,
  ) {
    this.engine = createVenueEngine({ marketFill, fees: { takerBps: 5 } });
    this.engine.openAccount({
      portfolio: 'main',
      accountModel: 'cash-short-credit',
      settlementAsset: 'USDT',
      deposit: String(start),
      leverage: { [INSTRUMENT]: 1 },
      openedAt: T0,
    });
  }

  /** @param stamp stamp of the observation that gave the signal, as the reference counts it */
  order(side: 'buy' | 'sell', now: number, stamp: number): void {
    this.orders += 1;
    this.decidedAt = stamp;
    const quantity = this.orders === 1 ? '1' : '2';
    this.note(this.engine.submit(this.desk.order(INSTRUMENT, side, quantity, { sentAt: now - T0 })));
  }

  note(reports: readonly VenueReport[]): void {
    for (const report of reports) {
      if (report.kind !== 'filled') continue;
      this.fills += 1;
      const stamp = this.stampOf(report, this.decidedAt);
      const price = toNumber(report.price ?? '0').toFixed(2);
      this.hash.update(`${stamp},${report.side === 'buy' ? 'B' : 'S'},${report.quantity},${price}\n`);
    }
  }

  /** Compares everything that the reference knows of the books, to the last digit. */
  expect(expected: Expected, lastPrice: number): void {
    const books = this.engine.books('main');
    const quantity = books.positions[0]?.quantity ?? '0';
    expect({
      fills: this.fills,
      fills_sha256: this.hash.digest('hex'),
      fees_decimal: books.fees,
      final_cash_decimal: books.cash,
      final_position: toNumber(quantity),
      final_equity_decimal: add(books.cash, mul(quantity, fromNumber(lastPrice))),
    }).toEqual({
      fills: expected.fills,
      fills_sha256: expected.fills_sha256,
      fees_decimal: expected.fees_decimal,
      final_cash_decimal: expected.final_cash_decimal,
      final_position: expected.final_position,
      final_equity_decimal: expected.final_equity_decimal,
    });
  }
}

function runBars(drive: Drive): number {
  const rule = createFlipRule();
  for (const [openedAt, open, high, low, close, volume] of bars) {
    const base = { token: 'BTC', instrument: INSTRUMENT, intervalMs: MINUTE };
    drive.note(drive.engine.market(marketEventFast('bar.opened', openedAt, { ...base, open, timestamp: openedAt })));
    const timestamp = openedAt + MINUTE;
    const bar = { ...base, open, high, low, close, volume, openedAt, timestamp };
    drive.note(drive.engine.market(marketEventFast('bar.closed', timestamp, bar)));
    const side = rule(close);
    if (side !== null) drive.order(side, timestamp, openedAt);
  }
  return bars.at(-1)?.[4] ?? 0;
}

function runTicks(drive: Drive): number {
  const rule = createFlipRule();
  for (const [openedAt, ...prices] of bars) {
    for (let i = 0; i < 4; i += 1) {
      const price = prices[i] as number;
      const timestamp = openedAt + i * 15_000;
      const tick = { token: 'BTC', price, volume_1m: 0, timestamp, instrument: INSTRUMENT, kind: 'last' as const };
      drive.note(drive.engine.market(marketEventFast('price.tick', timestamp, tick)));
      const side = rule(price);
      if (side !== null) drive.order(side, timestamp, timestamp);
    }
  }
  return bars.at(-1)?.[4] ?? 0;
}

/** The engine looks at no id, so the two million events of a year need none of their own. */
const envelope = marketEvent('instrument.listed', T0, {} as never);
const marketEventFast: typeof marketEvent = (type, occurredAt, eventData) =>
  ({ ...envelope, type, occurredAt, data: { event_type: type, ...eventData } }) as never;

describe('the reference run over the 525,600 bars of 2022, at the engine alone', () => {
  const results = reference.results as Record<'next_open' | 'signal_close' | 'tick_next' | 'tick_same', Expected>;

  it('fills at the next open as the reference does, to the last digit', () => {
    const drive = new Drive(1_000_000, 'next', (report) => report.timestamp);
    drive.expect(results.next_open, runBars(drive));
  });

  it('fills at the close that gave the signal as the reference does, to the last digit', () => {
    const drive = new Drive(1_000_000, 'last', (_report, decidedAt) => decidedAt);
    drive.expect(results.signal_close, runBars(drive));
  });

  it('fills at the next tick as the reference does, to the last digit', () => {
    const drive = new Drive(10_000_000, 'next', (report) => report.timestamp);
    drive.expect(results.tick_next, runTicks(drive));
  });

  it('fills at the tick that gave the signal as the reference does, to the last digit', () => {
    const drive = new Drive(10_000_000, 'last', (report) => report.timestamp);
    drive.expect(results.tick_same, runTicks(drive));
  });
});

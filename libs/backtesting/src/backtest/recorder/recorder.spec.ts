import { CATALOG, DEFINITIONS, eventId, type AnyEvent, type EmitData, type EventType } from '@moon/events';
import {
  decideFill,
  evolvePortfolio,
  findInstrument,
  ledgerBalance,
  type PortfolioRecording,
  type PortfolioState,
} from '@moon/domain';
import { Recorder, type Recording } from './recorder';

const DAY = 86_400_000;
const MINUTE = 60_000;
const T0 = Date.UTC(2024, 0, 1);
const SPOT = 'BTCUSDT.BINANCE-SPOT';
const PRICED_BY_SPOT = 'BTC.HYPERLIQUID';

/** A market and a portfolio in the hands of a test: the ledger's own rules make what is booked. */
class Desk {
  readonly recorder = new Recorder(SPOT);
  private state: PortfolioState | undefined;
  private count = 0;

  constructor(deposit = '1000') {
    this.tell('portfolio.opened', T0, {
      ...{ portfolio: 'main', accountModel: 'cash-short-credit', settlementAsset: 'USDT', ledgerScale: 12 },
      instruments: [
        { instrument: SPOT, leverage: 1, priceSource: SPOT },
        { instrument: PRICED_BY_SPOT, leverage: 1, priceSource: SPOT },
      ],
      subscriptions: { consensus: true, agents: [], instruments: [SPOT] },
      ...{ limits: {}, sizing: { mode: 'target', quantity: '1' }, timestamp: T0 },
    });
    this.flow('portfolio.deposited', T0, deposit, 'bootstrap');
  }

  tell<T extends EventType>(type: T, at: number, data: EmitData<T>, source = 'test'): AnyEvent {
    this.count += 1;
    const id = eventId('recorder-spec', type, String(this.count));
    const whole = { event_type: type, ...data };
    const key = CATALOG[type].keyOf(whole);
    const event = {
      ...{ id, type, schemaVersion: 1, source, key, occurredAt: at, correlationId: id, causationId: null },
      data: whole,
    } as unknown as AnyEvent;
    if (type.startsWith('portfolio.') || type === 'position.closed')
      this.state = evolvePortfolio(this.state, event as never);
    this.recorder.observe(event);
    return event;
  }

  flow(type: 'portfolio.deposited' | 'portfolio.withdrawn', at: number, amount: string, source = 'test'): void {
    this.tell(type, at, { portfolio: 'main', amount, asset: 'USDT', timestamp: at }, source);
  }

  opens(at: number, open: number): void {
    const bar = { token: 'BTC', instrument: SPOT, intervalMs: MINUTE, open, timestamp: at };
    this.tell('bar.opened', at, bar, 'feed/recorded');
  }

  /** A whole bar: told at its end. */
  closes(openedAt: number, [open, high, low, close]: readonly [number, number, number, number]): void {
    const at = openedAt + MINUTE;
    const bar = { token: 'BTC', instrument: SPOT, intervalMs: MINUTE, open, high, low, close, volume: 1 };
    this.tell('bar.closed', at, { ...bar, openedAt, timestamp: at }, 'feed/recorded');
  }

  /** A fill as the ledger books it, with its order and its decision. */
  fills(at: number, side: 'buy' | 'sell', quantity: string, price: string, fee = '0'): void {
    const orderId = eventId('order', String(this.count));
    const fillId = `fill-${this.count}`;
    const example = DEFINITIONS['trade.consensus_approved'].example;
    const recommended_action = side === 'buy' ? ('BUY' as const) : ('SELL' as const);
    const approval = this.tell('trade.consensus_approved', at, { ...example, recommended_action, timestamp: at });
    const common = { order_id: orderId, portfolio: 'main', token: 'BTC', instrument: SPOT, side, quantity };
    this.tell('order.requested', at, {
      ...{ ...common, order_type: 'MARKET', timeInForce: 'IOC', reduceOnly: false, priority: 'normal' },
      ...{
        origin: 'consensus',
        approvalId: approval.id,
        referencePrice: 1,
        reservation: { notional: '0' },
        sizing: {},
      },
      timestamp: at,
    });
    const [number, amount] = [Number(price), Number(quantity)];
    this.tell('trade.executed', at, {
      ...{ ...common, fillId, price, fee, feeAsset: 'USDT', liquidity: 'taker', status: 'FILLED', timestamp: at },
      ...{ fill_price: number, filled_amount: amount, cumulativeQuantity: quantity },
    });
    const fill = { ...common, fillId, price, fee, feeAsset: 'USDT', timestamp: at };
    const decision = decideFill(this.state!, fill, findInstrument(SPOT)!);
    if ('refused' in decision) throw new Error(decision.refused.message);
    for (const { type, data } of decision.events) this.tell(type, at, data as never);
  }

  finish(): { recording: Recording; main: PortfolioRecording } {
    const recording = this.recorder.finish();
    return { recording, main: recording.portfolios[0]! };
  }
}

describe('the recording of a run', () => {
  it('[US3-4] [US3-5] given a flip, it is two trades with the fee split between them, and the books balance to the last digit', () => {
    const desk = new Desk();
    desk.opens(T0, 100);
    desk.fills(T0, 'buy', '1', '100', '0.05');
    desk.closes(T0, [100, 110, 95, 108]);
    desk.fills(T0 + MINUTE, 'sell', '2', '108', '0.108');
    desk.closes(T0 + MINUTE, [108, 109, 103.5, 104]);
    const { main, recording } = desk.finish();
    expect(main.trades).toEqual([
      expect.objectContaining({
        ...{
          side: 'long',
          quantity: '1',
          entryPrice: 100,
          exitPrice: 108,
          grossPnl: '8',
          fees: '0.104',
          netPnl: '7.896',
        },
      }),
    ]);
    expect(main.open).toEqual([
      expect.objectContaining({
        side: 'short',
        quantity: '1',
        entryPrice: 108,
        markPrice: 104,
        unrealisedPnl: '4',
        fees: '0.054',
      }),
    ]);
    expect(main.finalEquity).toBe('1011.842');
    expect(ledgerBalance(main)).toMatchObject({ difference: '0', balanced: true });
    expect(main.fills.map(({ side, priceStamp, fee }) => [side, priceStamp - T0, fee])).toEqual([
      ['buy', 0, '0.05'],
      // Filled at the close of the first bar: the stamp is that bar's.
      ['sell', 0, '0.108'],
    ]);
    expect(recording.fillsSha256).toMatch(/^[0-9a-f]{64}$/);
    const [trade] = main.trades;
    expect(trade!.entry).toMatchObject({
      reason: 'consensus',
      orderId: main.fills[0]!.orderId,
      eventId: main.fills[0]!.id,
    });
    expect(trade!.exit.eventId).toBe(main.fills[1]!.id);
    const shares = trade!.entry.agents.map(({ agent }) => agent);
    expect(shares).toEqual(['trading_agent', 'chart_agent']);
    expect(trade!.entry.agents.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 12);
    expect(trade!.entry.agents[0]!.share).toBeCloseTo((0.85 * 84) / (0.85 * 84 + 0.83 * 80), 12);
  });

  it('[US3-5] follows how far a position went either way, by the extremes of the bars that it was held through', () => {
    const desk = new Desk();
    desk.opens(T0, 100);
    desk.fills(T0, 'buy', '1', '100');
    desk.closes(T0, [100, 130, 80, 101]);
    // Filled at the close: the bar's high and low lay before it.
    desk.opens(T0 + MINUTE, 101);
    desk.closes(T0 + MINUTE, [101, 102, 99, 100]);
    desk.fills(T0 + 2 * MINUTE, 'sell', '1', '100');
    desk.fills(T0 + 2 * MINUTE, 'sell', '1', '100');
    desk.closes(T0 + 2 * MINUTE, [100, 140, 90, 95]);
    desk.fills(T0 + 3 * MINUTE, 'buy', '1', '95');
    const { trades } = desk.finish().main;
    expect(trades.map(({ mae, mfe }) => [mae, mfe])).toEqual([
      [-20, 30],
      [-40, 10],
    ]);
  });

  it('[US3-5] values at the ends of bars, not at their opens, and counts the bar that ends at midnight to its own day', () => {
    const desk = new Desk();
    const last = T0 + DAY - MINUTE;
    desk.opens(last, 100);
    desk.fills(last, 'buy', '1', '100');
    desk.closes(last, [100, 100, 100, 110]);
    desk.opens(T0 + DAY, 10);
    desk.closes(T0 + DAY, [10, 120, 10, 120]);
    const { main, recording } = desk.finish();
    expect(main.days.map(({ day, equity }) => [day - T0, equity])).toEqual([
      [0, '1010'],
      [DAY, '1020'],
    ]);
    expect(main.observations).toBe(2);
    // The fall to 10 was seen at an open only.
    expect(main.worst.depth).toBe(0);
    expect(recording.benchmark).toEqual({
      ...{ instrument: SPOT, startPrice: 100 },
      days: [
        { day: T0, close: 110 },
        { day: T0 + DAY, close: 120 },
      ],
    });
  });

  it('[US3-5] takes a fill at the very end of a day into that day', () => {
    const desk = new Desk();
    const last = T0 + DAY - MINUTE;
    desk.opens(last, 100);
    desk.closes(last, [100, 100, 100, 100]);
    desk.fills(T0 + DAY, 'buy', '1', '100', '5');
    desk.opens(T0 + DAY, 100);
    desk.closes(T0 + DAY, [100, 100, 100, 100]);
    expect(desk.finish().main.days.map(({ equity }) => equity)).toEqual(['995', '995']);
  });

  it('[US3-5] a deposit is no profit: it is the flow of its day, and no drawdown ends by it', () => {
    const desk = new Desk();
    desk.opens(T0, 100);
    desk.fills(T0, 'buy', '5', '100');
    desk.closes(T0, [100, 100, 80, 80]);
    desk.flow('portfolio.deposited', T0 + MINUTE + 1, '900');
    desk.closes(T0 + MINUTE, [80, 80, 80, 80]);
    const { main } = desk.finish();
    expect(main.days).toEqual([expect.objectContaining({ equity: '1800', flow: '900' })]);
    expect(main.startEquity).toBe('1000');
    expect(main.worst.depth).toBeCloseTo(-0.1, 12);
    expect(ledgerBalance(main).balanced).toBe(true);
  });

  it('[US3-5] what was closed of a position that is still held counts as its own', () => {
    const desk = new Desk();
    desk.opens(T0, 100);
    desk.fills(T0, 'buy', '3', '100', '0.3');
    desk.closes(T0, [100, 110, 100, 110]);
    desk.fills(T0 + MINUTE, 'sell', '1', '110', '0.1');
    desk.closes(T0 + MINUTE, [110, 110, 110, 110]);
    const { main } = desk.finish();
    expect(main.trades).toEqual([]);
    expect(main.open).toEqual([
      expect.objectContaining({ quantity: '2', realisedPnl: '10', unrealisedPnl: '20', fees: '0.4' }),
    ]);
    expect(ledgerBalance(main)).toMatchObject({ openPnl: '29.6', balanced: true });
    expect(main.exposedMs).toBe(2 * MINUTE);
  });

  it('stays small however long the run is: candles merge, decisions are thinned, the curve has its bound', () => {
    const desk = new Desk('1000000');
    desk.opens(T0, 100);
    const bars = 30_000;
    for (let bar = 0; bar < bars; bar += 1) {
      const price = 100 + (bar % 7);
      desk.closes(T0 + bar * MINUTE, [price, price + 1, price - 1, price]);
      if (bar % 4 === 0) desk.fills(T0 + (bar + 1) * MINUTE, bar % 8 === 0 ? 'buy' : 'sell', '1', String(price));
    }
    const { recording, main } = desk.finish();
    const [candles] = recording.candles;
    expect(candles!.at.length).toBeLessThanOrEqual(2_000);
    expect(candles!.intervalMs).toBe(15 * MINUTE);
    expect(candles).toMatchObject({ open: expect.arrayContaining([100]) as unknown });
    expect(Math.max(...candles!.high)).toBe(107);
    expect(Math.min(...candles!.low)).toBe(99);
    expect(recording.decisions).toMatchObject({ approved: bars / 4, failed: 0 });
    // So few are all kept: every trade has its decision.
    expect(recording.decisions.kept).toHaveLength(bars / 4);
    expect(main.curve.length).toBeLessThanOrEqual(2_000);
    expect(recording.bars).toBe(bars);
    expect(ledgerBalance(main).balanced).toBe(true);
  });

  it('[US3-6] has candles for each instrument that is traded, also where another one prices it', () => {
    const desk = new Desk();
    desk.opens(T0, 100);
    desk.closes(T0, [100, 110, 95, 108]);
    const bar = { at: [T0], open: [100], high: [110], low: [95], close: [108], intervalMs: MINUTE };
    expect(desk.finish().recording.candles).toEqual([
      { instrument: SPOT, ...bar },
      { instrument: PRICED_BY_SPOT, ...bar },
    ]);
  });

  it('tells of missing updates of an order book', () => {
    const desk = new Desk();
    const book = { token: 'BTC', instrument: SPOT, bids: [{ price: 100, size: 1 }], asks: [] };
    const told = (at: number, firstUpdateId: number, lastUpdateId: number) =>
      desk.tell('book.delta', at, { ...book, firstUpdateId, lastUpdateId, timestamp: at });
    told(T0, 1, 5);
    told(T0 + 100, 6, 9);
    told(T0 + 200, 15, 20);
    expect(desk.finish().recording.dataQuality.instruments).toEqual([
      expect.objectContaining({
        kind: 'book',
        rows: 3,
        gapCount: 1,
        gaps: [{ from: T0 + 100, to: T0 + 200, missing: null }],
      }),
    ]);
  });

  it('draws a year of minutes as candles of six hours', () => {
    const desk = new Desk();
    const year = 365 * DAY;
    desk.opens(T0, 100);
    for (let at = T0; at < T0 + year; at += 30 * MINUTE) desk.closes(at, [100, 101, 99, 100]);
    const [candles] = desk.finish().recording.candles;
    expect([candles!.intervalMs, candles!.at.length]).toEqual([6 * 60 * MINUTE, 4 * 365]);
  });

  it('given more decisions than there is room for, keeps of both sides and of all times alike', () => {
    const desk = new Desk('1000000');
    const { example } = DEFINITIONS['trade.consensus_approved'];
    const count = 40_000;
    desk.opens(T0, 100);
    for (let index = 0; index < count; index += 1) {
      const recommended_action = index % 2 === 0 ? ('BUY' as const) : ('SELL' as const);
      const at = T0 + index * MINUTE;
      desk.tell('trade.consensus_approved', at, { ...example, recommended_action, timestamp: at });
    }
    const { kept, approved } = desk.finish().recording.decisions;
    expect(approved).toBe(count);
    expect(kept.length).toBeLessThanOrEqual(13_000);
    expect(kept.length).toBeGreaterThan(6_000);
    const shareOf = (chosen: typeof kept): number => chosen.length / kept.length;
    expect(shareOf(kept.filter(({ action }) => action === 'BUY'))).toBeCloseTo(0.5, 1);
    for (let quarter = 0; quarter < 4; quarter += 1) {
      const inside = kept.filter(({ at }) => Math.floor((4 * (at - T0)) / (count * MINUTE)) === quarter);
      expect(shareOf(inside)).toBeCloseTo(0.25, 1);
    }
    expect(kept.map(({ at }) => at)).toEqual([...kept].map(({ at }) => at).sort((a, b) => a - b));
  });

  it('gives an empty recording of a run without prices', () => {
    const { main, recording } = new Desk().finish();
    expect(main).toMatchObject({ days: [], observations: 0, startEquity: '1000', finalEquity: '1000' });
    expect(recording).toMatchObject({ firstAt: null, lastAt: null, benchmark: null });
  });
});

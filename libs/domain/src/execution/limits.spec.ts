import { LIMITS } from '../risk';
import type { PlaceOrder } from '../handler';
import { BTC, cashOpening, Desk, ETH, opening, orderId, SPOT, T0 } from './fixtures/desk';

const PRICE = 50_000;
type Case = {
  code: string;
  /** What the portfolio is before the order. */
  given: () => Desk;
  order?: Partial<PlaceOrder>;
  value: unknown;
  bound: unknown;
};

const limited = (limits: Record<string, unknown>) => opening({ limits: { duplicate_order: 0, ...limits } });
const desk = (limits: Record<string, unknown> = {}, deposit = '100000') =>
  new Desk().open(limited(limits), deposit).price(PRICE);
const cash = (deposit = '10000') => new Desk().open(cashOpening(), deposit).price(PRICE, SPOT);
const spot = { instrument: SPOT };

/** One case for each limit; every other limit is kept, so the breach is the only one. */
const CASES: Case[] = [
  {
    code: 'INSTRUMENT_UNKNOWN',
    given: () => desk(),
    order: { instrument: 'SOL.HYPERLIQUID' },
    value: 'SOL.HYPERLIQUID',
    bound: null,
  },
  {
    code: 'NOT_RECONCILED',
    given: () =>
      new Desk()
        .event('portfolio.opened', opening())
        .event('portfolio.deposited', { portfolio: 'main', amount: '100000', asset: 'USDC', timestamp: T0 })
        .price(PRICE),
    value: null,
    bound: null,
  },
  {
    code: 'HALTED',
    given: () =>
      desk().command({ type: 'RaiseHalt', key: 'main', source: 'operator', scope: 'portfolio', reason: 'maintenance' }),
    value: 'operator: maintenance',
    bound: null,
  },
  { code: 'PRICE_MISSING', given: () => desk(), order: { instrument: ETH, token: 'ETH' }, value: ETH, bound: null },
  { code: 'PRICE_STALE', given: () => desk().at(T0 + 120_001), value: 120_001, bound: 120_000 },
  { code: 'LOT_SIZE', given: () => desk(), order: { quantity: '0.100005' }, value: '0.100005', bound: '0.00001' },
  {
    code: 'TICK_SIZE',
    given: () => desk(),
    order: { orderType: 'LIMIT', limitPrice: '50000.15' },
    value: '50000.15',
    bound: BTC,
  },
  { code: 'MIN_NOTIONAL', given: () => desk(), order: { quantity: '0.00019' }, value: 9.5, bound: 10 },
  { code: 'ORDER_VALUE', given: () => desk({ order_value: 4_999 }), value: 5_000, bound: 4_999 },
  { code: 'ORDER_QUANTITY', given: () => desk({ order_quantity: 0.09 }), value: 0.1, bound: 0.09 },
  {
    code: 'ORDER_QUANTITY',
    given: () => desk({ order_quantity_by_instrument: { [BTC]: 0.05 } }),
    value: 0.1,
    bound: 0.05,
  },
  {
    code: 'PRICE_COLLAR',
    given: () => desk(),
    order: { orderType: 'LIMIT', limitPrice: '53000' },
    value: 0.06,
    bound: 0.05,
  },
  {
    code: 'REDUCE_ONLY_VIOLATED',
    given: () => desk(),
    order: { reduceOnly: true, side: 'sell' },
    value: '0.1',
    bound: '0',
  },
  { code: 'SHORT_NOT_ALLOWED', given: () => cash(), order: { ...spot, side: 'sell' }, value: '0.1', bound: '0' },
  { code: 'POSITION_LIMIT', given: () => desk({ position_limit: 0.04 }), value: 0.05, bound: 0.04 },
  { code: 'POSITION_LIMIT', given: () => desk({ position_limit_by_token: { BTC: 0.04 } }), value: 0.05, bound: 0.04 },
  { code: 'GROSS_EXPOSURE', given: () => desk({ gross_exposure: 4_000 }), value: 5_000, bound: 4_000 },
  { code: 'MAX_LEVERAGE', given: () => desk({ max_leverage: 0.04 }), value: 0.05, bound: 0.04 },
  {
    code: 'LIQUIDATION_DISTANCE',
    given: () =>
      new Desk()
        .open(opening({ instruments: [{ instrument: BTC, leverage: 10, priceSource: BTC }], limits: {} }))
        .price(PRICE),
    // 10× isolated starts 8.86 % from its liquidation (rule 19).
    value: 0.0886075949367088,
    bound: 0.15,
  },
  { code: 'INSUFFICIENT_CASH', given: () => cash('5000'), order: spot, value: 5030, bound: 5000 },
  { code: 'DRAWDOWN_TOTAL', given: () => lost({ drawdown_total: 0.05, drawdown_day: 1 }), value: 0.1, bound: 0.05 },
  { code: 'DRAWDOWN_DAY', given: () => lost({ drawdown_day: 0.05 }), value: 0.1, bound: 0.05 },
  { code: 'ORDERS_PER_SECOND', given: () => desk({ orders_per_second: 1 }).place('first'), value: 2, bound: 1 },
  {
    code: 'DUPLICATE_ORDER',
    given: () => desk({ duplicate_order: 500 }).place('first'),
    value: orderId('first'),
    bound: 500,
  },
];

/** A portfolio that has lost a tenth: 2 BTC bought at 50,000, now at 45,000. */
function lost(limits: Record<string, unknown>): Desk {
  return desk(limits).trade('lost', { quantity: '2' }, '50000').price(45_000);
}

describe('[US2-4] [EXE-1] every limit refuses with its own code, value and bound', () => {
  it.each(CASES)('$code', ({ code, given, order, value, bound }) => {
    const desk = given();
    const before = desk.log.length;
    desk.place('judged', order);
    const emitted = desk.log.slice(before);

    const violation = emitted.find(({ type }) => type === 'risk.constraint_violation')?.data as {
      breaches: { code: string; value: unknown; bound: unknown; message: string }[];
      recordedOnly: boolean;
    };
    expect(violation.breaches.map((breach) => breach.code)).toEqual([code]);
    const [breach] = violation.breaches;
    if (typeof value === 'number') expect(breach?.value).toBeCloseTo(value, 4);
    else expect(breach?.value).toBe(value);
    expect(breach?.bound).toBe(bound);
    expect(breach?.message).not.toMatch(/[{}]/);
    expect(violation.recordedOnly).toBe(false);

    const rejected = emitted.find(({ type }) => type === 'trade.rejected')?.data;
    expect(rejected).toMatchObject({
      order_id: orderId('judged'),
      reason: code,
      stage: 'limits',
      message: breach?.message,
    });
    expect(emitted.map(({ type }) => type)).not.toContain('order.approved');
    expect(emitted.map(({ type }) => type)).not.toContain('portfolio.reserved');
    expect(desk.portfolio.reservations[orderId('judged')]).toBeUndefined();
  });

  it('PORTFOLIO_UNKNOWN', () => {
    const desk = new Desk().place('judged');
    expect(desk.log.map(({ type }) => type)).toEqual(['risk.constraint_violation', 'trade.rejected']);
    expect(desk.of('trade.rejected')[0]).toMatchObject({ reason: 'PORTFOLIO_UNKNOWN', stage: 'limits' });
  });

  it('INSUFFICIENT_MARGIN: what is in flight has its margin too', () => {
    const tight = opening({ limits: { duplicate_order: 0, max_leverage: 100, position_limit: 100 } });
    const desk = new Desk().open(tight, '2000').price(PRICE);
    desk.place('first').place('second', { quantity: '0.02' });
    expect(desk.of('order.approved').map(({ order_id }) => order_id)).toEqual([orderId('first')]);
    const [breach] = desk.of('risk.constraint_violation')[0]?.breaches ?? [];
    expect(breach?.code).toBe('INSUFFICIENT_MARGIN');
    // 0.1 BTC takes a third of 5,000; 0.02 takes 333.33 and a fee of 0.45, when 333.33 is left.
    expect(breach?.value as number).toBeGreaterThan(breach?.bound as number);
    expect(breach?.bound).toBeCloseTo(2000 - 5000 / 3, 6);
  });

  it('has a test for each limit', () => {
    const tested = new Set([...CASES.map(({ code }) => code), 'PORTFOLIO_UNKNOWN', 'INSUFFICIENT_MARGIN']);
    expect(LIMITS.map(({ code }) => code).filter((code) => !tested.has(code))).toEqual([]);
  });

  it('lists every breach of an order, not only the first', () => {
    const desk = new Desk().open(limited({ order_value: 100, max_leverage: 0.01, price_stale: 10 })).price(PRICE);
    desk.at(T0 + 100).place('judged');
    expect(desk.of('trade.rejected')[0]?.breaches?.map(({ code }) => code)).toEqual([
      'PRICE_STALE',
      'ORDER_VALUE',
      'MAX_LEVERAGE',
    ]);
  });
});

describe('[EXE-1] an order that only reduces', () => {
  const held = (limits: Record<string, unknown> = {}) => desk(limits).trade('open', { quantity: '0.2' }, '50000');
  const close = { side: 'sell', quantity: '0.1' } as const;

  it('passes what would refuse any other order; the breaches are recorded', () => {
    const desk = held({ order_value: 20_000, orders_per_second: 1 })
      .command({ type: 'RaiseHalt', key: 'main', source: 'operator', scope: 'portfolio', reason: 'maintenance' })
      .at(T0 + 130_000);
    desk.place('close', close);
    expect(desk.of('order.approved')[1]).toMatchObject({ order_id: orderId('close') });
    const recorded = desk.of('risk.constraint_violation')[0];
    expect(recorded?.recordedOnly).toBe(true);
    expect(recorded?.breaches.map(({ code }) => code)).toEqual(['HALTED', 'PRICE_STALE']);
    expect(desk.of('order.approved')[1]?.recordedBreaches).toEqual(recorded?.breaches);
    expect(desk.of('trade.rejected')).toEqual([]);
  });

  it.each([
    ['LOT_SIZE', { quantity: '0.100001' }],
    ['TICK_SIZE', { orderType: 'LIMIT', limitPrice: '50000.15' }],
    ['REDUCE_ONLY_VIOLATED', { quantity: '0.3', reduceOnly: true }],
  ] as const)('is refused for %s all the same', (code, over) => {
    const desk = held().place('close', { ...close, ...over } as Partial<PlaceOrder>);
    expect(desk.of('trade.rejected')[0]?.reason).toBe(code);
  });

  it('is refused when it is sent twice', () => {
    const desk = held({ duplicate_order: 1_000 }).place('close', close).place('again', close);
    expect(desk.of('trade.rejected')[0]).toMatchObject({ order_id: orderId('again'), reason: 'DUPLICATE_ORDER' });
  });

  it('is no longer reducing when the orders in flight close the position already', () => {
    const desk = held().place('one', { ...close, quantity: '0.15', reduceOnly: true });
    desk.place('two', { ...close, reduceOnly: true });
    expect(desk.of('trade.rejected')[0]).toMatchObject({ order_id: orderId('two'), reason: 'REDUCE_ONLY_VIOLATED' });
    expect(desk.of('trade.rejected')[0]?.breaches?.[0]).toMatchObject({ value: '0.1', bound: '0.05' });
  });

  it('closes a position for which no price is known', () => {
    const desk = new Desk().open(opening());
    desk.event('portfolio.position_opened', {
      portfolio: 'main',
      token: 'BTC',
      instrument: BTC,
      side: 'long',
      quantity: '0.1',
      price: '40000',
      timestamp: T0,
    });
    desk.place('close', { ...close, reduceOnly: true });
    expect(desk.of('order.approved')[0]?.recordedBreaches.map(({ code }) => code)).toEqual(['PRICE_MISSING']);
    expect(desk.of('order.requested')[0]?.referencePrice).toBe(40_000);
  });
});

describe('[EXE-1] reservations of orders in flight', () => {
  it('count in the position limit', () => {
    const desk = new Desk().open(limited({ position_limit: 0.12 })).price(PRICE);
    desk.place(1).place(2).place(3);
    expect(desk.of('order.approved').map(({ order_id }) => order_id)).toEqual([orderId(1), orderId(2)]);
    expect(desk.of('trade.rejected')[0]?.breaches).toEqual([
      expect.objectContaining({ code: 'POSITION_LIMIT', bound: 0.12 }),
    ]);
    expect(desk.of('trade.rejected')[0]?.breaches?.[0]?.value).toBeCloseTo(0.15, 9);
  });

  it('of other instruments count in leverage and exposure', () => {
    const desk = new Desk()
      .open(limited({ max_leverage: 0.08 }))
      .price(PRICE)
      .price(2_500, ETH);
    desk.place('btc').place('eth', { instrument: ETH, token: 'ETH', quantity: '2' });
    expect(desk.of('trade.rejected')[0]?.breaches?.map(({ code }) => code)).toEqual(['MAX_LEVERAGE']);
  });

  it('give their room back when the order ends', () => {
    const desk = new Desk().open(limited({ position_limit: 0.06 })).price(PRICE);
    desk
      .place(1)
      .submitted(1)
      .report({ kind: 'rejected', order_id: orderId(1), code: 'no_liquidity', message: 'No.' });
    desk.place(2);
    expect(desk.of('order.approved').map(({ order_id }) => order_id)).toEqual([orderId(1), orderId(2)]);
    expect(desk.of('portfolio.reservation_released')).toEqual([
      expect.objectContaining({ order_id: orderId(1), quantity: '0.1', reason: 'rejected' }),
    ]);
  });
});

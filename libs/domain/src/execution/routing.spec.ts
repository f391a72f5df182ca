import fc from 'fast-check';
import { DEFINITIONS, eventId, type EmitData } from '@moon/events';
import { testEvent } from '../handler';
import type { ExecutionConfig } from '.';
import { BTC, cashOpening, Desk, ETH, opening, SPOT, T0 } from './fixtures/desk';

const PRICE = 50_000;
type Opening = EmitData<'portfolio.opened'>;

const desk = (over: Partial<Opening> = {}, config: Partial<ExecutionConfig> = {}, deposit = '100000') =>
  new Desk(config).open(opening(over), deposit).price(PRICE);

function approve(
  book: Desk,
  over: Partial<EmitData<'trade.consensus_approved'>> = {},
  id = 'approval',
  at = book.now,
): Desk {
  const { event_type: _type, ...example } = DEFINITIONS['trade.consensus_approved']
    .example as never as EmitData<'trade.consensus_approved'> & {
    event_type: string;
  };
  const data = {
    ...example,
    token: 'BTC',
    recommended_action: 'BUY' as const,
    confidence: 0.8,
    sizeFactor: 1,
    timestamp: book.now,
    ...over,
  };
  return book.deliver(testEvent('trade.consensus_approved', at, data, { id: eventId('test', id), key: data.token }));
}

function signal(book: Desk, over: Partial<EmitData<'signal.generated'>> = {}, id = 'signal', at = book.now): Desk {
  const data: EmitData<'signal.generated'> = {
    token: 'BTC',
    action: 'BUY',
    score: 80,
    confidence: 0.5,
    agent: 'trading_agent',
    reason: '',
    timestamp: book.now,
    ...over,
  };
  return book.deliver(testEvent('signal.generated', at, data, { id: eventId('test', id), key: data.token }));
}

const quantities = (book: Desk) => book.of('order.requested').map(({ side, quantity }) => `${side} ${quantity}`);

describe('[EXE-1] what trades in a portfolio (rules 16, 20)', () => {
  const direct = { subscriptions: { consensus: false, agents: ['trading_agent'], instruments: [] } };

  it('an approval becomes one order, whose id follows from approval and portfolio', () => {
    const book = approve(approve(desk()));
    expect(book.of('order.approved')).toHaveLength(1);
    const approvalId = eventId('test', 'approval');
    expect(book.of('order.requested')[0]).toMatchObject({
      order_id: eventId('order', approvalId, 'main'),
      approvalId,
      origin: 'consensus',
      order_type: 'MARKET',
      timeInForce: 'IOC',
      reduceOnly: false,
    });
  });

  it('an approval or a signal that is older than its time to live trades nowhere, whatever is remembered of it', () => {
    const late = (ageMs: number, following: Partial<Opening>, give: typeof approve | typeof signal): Desk => {
      const book = desk(following);
      return give(book, {}, 'late', book.now - ageMs);
    };
    const hour = 3_600_000;
    expect(late(hour, {}, approve).of('order.requested')).toHaveLength(1);
    expect(late(hour + 1, {}, approve).log).toEqual([]);
    expect(late(hour, direct, signal).of('order.requested')).toHaveLength(1);
    expect(late(hour + 1, direct, signal).log).toEqual([]);
  });

  it('every subscribed portfolio gets its own order, the others none', () => {
    const book = desk();
    book.open(opening({ portfolio: 'second' }), '50000').open(opening({ portfolio: 'third', ...direct }));
    book.price(PRICE);
    approve(book);
    expect(book.of('order.requested').map(({ portfolio, quantity }) => `${portfolio} ${quantity}`)).toEqual([
      'main 0.2',
      'second 0.1',
    ]);
    expect(book.of('trade.rejected')).toEqual([]);
  });

  it('a signal alone trades only where its agent is subscribed to, and an answer to a window nowhere', () => {
    expect(signal(desk()).of('order.requested')).toEqual([]);
    const book = desk(direct);
    signal(book, { windowId: eventId('test', 'window') }, 'answer');
    signal(book, { action: 'HOLD' }, 'hold');
    signal(book, { agent: 'chart_agent' }, 'other');
    expect(book.log).toEqual([]);
    signal(book);
    expect(book.of('order.requested')[0]).toMatchObject({ origin: 'agent', approvalId: eventId('test', 'signal') });
  });

  it('who follows an agent directly does not trade on the consensus as well', () => {
    const both = { subscriptions: { consensus: true, agents: ['trading_agent'], instruments: [] } };
    expect(approve(desk(both)).of('order.requested')).toEqual([]);
    expect(signal(desk(both)).of('order.requested')).toHaveLength(1);
  });

  it('a token trades in the instrument that the signal names, else in the first of the configuration', () => {
    const two = [
      { instrument: 'BTC-PERP.FTX', leverage: 1, priceSource: BTC },
      { instrument: BTC, leverage: 3, priceSource: BTC },
    ];
    const book = () => desk({ ...direct, instruments: two, settlementAsset: 'USDC' });
    expect(signal(book(), { instrument: BTC }).of('order.requested')[0]?.instrument).toBe(BTC);
    expect(signal(book()).of('order.requested')[0]?.instrument).toBe('BTC-PERP.FTX');
    const narrowed = desk({ subscriptions: { consensus: true, agents: [], instruments: [ETH] } });
    expect(approve(narrowed).log).toEqual([]);
  });

  it('prices come from the configured source, whatever is traded', () => {
    const other = 'BTCUSDT.BINANCE-USDM';
    const book = desk({ instruments: [{ instrument: BTC, leverage: 3, priceSource: other }] });
    approve(book);
    expect(book.of('trade.rejected')[0]).toMatchObject({ reason: 'PRICE_MISSING', stage: 'routing' });
    approve(book.price(40_000, other), {}, 'second');
    expect(quantities(book)).toEqual(['buy 0.25']);
  });

  it('warm-up trades nothing', () => {
    const book = desk();
    const { event_type: _type, ...example } = DEFINITIONS['trade.consensus_approved'].example as never as {
      event_type: string;
    };
    const data = example as unknown as EmitData<'trade.consensus_approved'>;
    book.deliver(testEvent('trade.consensus_approved', T0, data, { key: 'BTC', headers: { warmup: true } }));
    expect(book.log).toEqual([]);
  });
});

describe('[EXE-3] size follows the portfolio value', () => {
  it('fraction × equity, the position at its mark included', () => {
    const book = desk({}, {}, '100000').trade('a', { quantity: '1' }, '50000').price(60_000);
    approve(book);
    // Equity 100,000 − 1 fee + 10,000; a tenth at 60,000.
    const size = book.of('order.requested')[1];
    expect(size?.quantity).toBe('0.18333');
    expect(size?.sizing).toMatchObject({
      mode: 'fraction',
      fraction: 0.1,
      equity: 109_999,
      value: 10_999.9,
      price: 60_000,
    });
  });

  it.each([
    ['confidence', true, 1, '0.16'],
    ['the size factor', false, 1.5, '0.3'],
    ['the size factor up to its bound', false, 2.9, '0.4'],
  ])('is scaled by %s', (_what, scaleByConfidence, sizeFactor, expected) => {
    const book = desk({ sizing: { mode: 'fraction', fraction: 0.1, scaleByConfidence } });
    approve(book, { sizeFactor });
    expect(quantities(book)).toEqual([`buy ${expected}`]);
  });

  it('an inverse contract is counted in contracts', () => {
    const coin = 'BTCUSD_PERP.BINANCE-COINM';
    const instruments = [{ instrument: coin, leverage: 3, priceSource: coin }];
    const book = new Desk().open(opening({ instruments, settlementAsset: 'BTC' }), '2').price(PRICE, coin);
    approve(book);
    // A tenth of 2 BTC is 10,000 USD: 100 contracts of 100.
    expect(quantities(book)).toEqual(['buy 100']);
  });

  it('is rounded to lots, never up, and never above its share', () => {
    const inputs = fc.tuple(
      fc.double({ min: 1_000, max: 90_000, noNaN: true }),
      fc.double({ min: 0.01, max: 0.5, noNaN: true }),
    );
    fc.assert(
      fc.property(inputs, ([price, fraction]) => {
        const mark = Math.round(price);
        const share = Math.round(fraction * 1_000) / 1_000;
        const book = desk({ sizing: { mode: 'fraction', fraction: share, scaleByConfidence: false } }).price(mark);
        approve(book);
        const quantity = Number(book.of('order.requested')[0]?.quantity);
        expect(quantity * mark).toBeLessThanOrEqual(100_000 * share * (1 + 1e-12));
        expect((quantity + 0.00001) * mark).toBeGreaterThan(100_000 * share * (1 - 1e-12));
      }),
      { numRuns: 50 },
    );
  });

  it('target: target − position − in flight, and a SELL aims at the other side', () => {
    const book = desk({ sizing: { mode: 'target', quantity: '1' } });
    approve(book, {}, '1');
    approve(book, {}, '2');
    const id = book.of('order.requested')[0]?.order_id as string;
    book.submitted('', id).fill('', '1', '50000', id);
    approve(book, { recommended_action: 'SELL' }, '3');
    expect(quantities(book)).toEqual(['buy 1', 'sell 2']);
    expect(book.of('trade.rejected')).toEqual([expect.objectContaining({ reason: 'ON_TARGET', stage: 'routing' })]);
    expect(book.of('order.requested')[1]?.sizing).toMatchObject({ target: '-1', position: '1', inFlight: '0' });
  });

  it('target: a directly followed agent may name the position', () => {
    const subscriptions = { consensus: false, agents: ['trading_agent'], instruments: [] };
    const book = desk({ subscriptions, sizing: { mode: 'target', quantity: '1' } });
    signal(book, { action: 'SELL', context: { targetQuantity: -0.25 } });
    expect(quantities(book)).toEqual(['sell 0.25']);
  });

  it('target: a SELL in a cash account sells what it has', () => {
    const book = new Desk()
      .open(cashOpening({ sizing: { mode: 'target', quantity: '0.1' } }), '10000')
      .price(PRICE, SPOT);
    approve(book, {}, '1');
    const id = book.of('order.requested')[0]?.order_id as string;
    book.submitted('', id).fill('', '0.1', '50000', id);
    approve(book, { recommended_action: 'SELL' }, '2');
    expect(quantities(book)).toEqual(['buy 0.1', 'sell 0.1']);
  });

  it.each([
    ['BELOW_MIN_NOTIONAL', 0.00005],
    ['BELOW_LOT', 0.000001],
  ])('too small a wish is refused with %s, not in silence', (reason, fraction) => {
    const book = desk({ sizing: { mode: 'fraction', fraction, scaleByConfidence: false } });
    approve(approve(book));
    expect(book.of('trade.rejected')).toEqual([expect.objectContaining({ reason, stage: 'routing' })]);
    expect(book.of('order.requested')).toEqual([]);
  });

  it('an empty portfolio trades nothing', () => {
    const book = new Desk().event('portfolio.opened', opening()).price(PRICE);
    expect(approve(book).of('trade.rejected')[0]?.reason).toBe('NO_EQUITY');
  });
});

describe('[EXE-1] staying inside the limits', () => {
  const tight = { limits: { duplicate_order: 0, max_leverage: 0.15, orders_per_second: 1_000 } };

  it('a routed order is made smaller to fit, and says by what', () => {
    const book = approve(approve(desk(tight), {}, '1'), {}, '2');
    expect(quantities(book)).toEqual(['buy 0.2', 'buy 0.1']);
    expect(book.of('order.requested')[1]?.sizing).toMatchObject({ wanted: '0.2', limitedBy: ['MAX_LEVERAGE'] });
    expect(book.of('order.approved')).toHaveLength(2);
  });

  it('with no room left it is refused by the limit', () => {
    const book = approve(approve(approve(desk(tight), {}, '1'), {}, '2'), {}, '3');
    expect(book.of('trade.rejected')).toEqual([expect.objectContaining({ reason: 'MAX_LEVERAGE', stage: 'limits' })]);
    expect(book.of('risk.constraint_violation')).toHaveLength(1);
  });

  it('what no size would save is refused as it was wanted', () => {
    const book = desk(tight).at(T0 + 200_000);
    approve(book);
    expect(book.of('trade.rejected')[0]).toMatchObject({ reason: 'PRICE_STALE', stage: 'limits' });
    expect(quantities(book)).toEqual(['buy 0.2']);
  });

  it('is refused whole when shrinking is switched off', () => {
    const book = approve(approve(desk(tight, { shrinkToLimits: false }), {}, '1'), {}, '2');
    expect(book.of('order.approved')).toHaveLength(1);
    expect(book.of('trade.rejected')[0]).toMatchObject({ reason: 'MAX_LEVERAGE', stage: 'limits' });
  });

  it.each([true, false])(
    'of 100 approvals at one instant, with room for one, exactly one is approved (shrinking %s)',
    (shrinkToLimits) => {
      const book = desk(
        { limits: { duplicate_order: 0, position_limit: 0.1, orders_per_second: 1_000 } },
        { shrinkToLimits },
      );
      for (let index = 0; index < 100; index++) approve(book, {}, String(index));
      expect(book.of('order.approved')).toHaveLength(1);
      expect(book.of('portfolio.reserved')).toHaveLength(1);
      expect(book.of('trade.rejected')).toHaveLength(99);
      expect(book.of('risk.constraint_violation').every(({ breaches }) => breaches[0]?.code === 'POSITION_LIMIT')).toBe(
        true,
      );
    },
  );
});

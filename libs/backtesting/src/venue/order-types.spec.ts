import { bench, brief, margin, PERP, SPOT } from '../testing/engine-bench';
import { barClosed, barOpened, tick } from '../testing/venue-desk';

const long = () => {
  const made = bench({}, margin({ deposit: '100000' }));
  made.engine.market(tick(PERP, 0, 40_000));
  made.submit(PERP, 'buy', '1');
  return made;
};

describe('a take-profit order', () => {
  it('waits for the better price and is filled at the market then', () => {
    const { engine, submit } = long();
    const draft = { orderType: 'TAKE_PROFIT', stopPrice: '41000', reduceOnly: true } as const;
    expect(brief(submit(PERP, 'sell', '1', draft))).toEqual(['accepted']);
    expect(engine.market(tick(PERP, 1, 40_999))).toEqual([]);
    expect(brief(engine.market(tick(PERP, 2, 41_100)))).toEqual(['taker 1@41100']);
  });

  it('goes by the mark where there is one, like a stop', () => {
    const { engine, submit } = long();
    engine.market(tick(PERP, 0, 40_000, { kind: 'mark' }));
    submit(PERP, 'sell', '1', { orderType: 'TAKE_PROFIT', stopPrice: '41000', reduceOnly: true });
    expect(engine.market(tick(PERP, 1, 41_500))).toEqual([]);
    expect(brief(engine.market(tick(PERP, 2, 41_000, { kind: 'mark' })))).toEqual(['taker 1@41500']);
  });

  it('closes a short by a fall', () => {
    const { engine, submit } = bench({}, margin({ deposit: '100000' }));
    engine.market(barOpened(PERP, 0, 40_000));
    submit(PERP, 'sell', '1');
    submit(PERP, 'buy', '1', { orderType: 'TAKE_PROFIT', stopPrice: '39000', reduceOnly: true });
    expect(brief(engine.market(barClosed(PERP, 0, [40_000, 42_000, 38_500, 38_800])))).toEqual(['taker 1@39000']);
  });

  it('with a limit price becomes a limit order: it takes within it, else rests at it', () => {
    const { engine, submit } = long();
    const draft = { orderType: 'TAKE_PROFIT', stopPrice: '41000', limitPrice: '41200', reduceOnly: true } as const;
    submit(PERP, 'sell', '1', draft);
    expect(engine.market(tick(PERP, 1, 41_050))).toEqual([]);
    expect(engine.books('main').openOrders).toMatchObject([{ orderType: 'TAKE_PROFIT', limitPrice: '41200' }]);
    expect(engine.market(tick(PERP, 2, 40_500))).toEqual([]);
    expect(brief(engine.market(tick(PERP, 3, 41_201)))).toEqual(['maker 1@41200']);
  });
});

describe('a stop-limit order', () => {
  it('never sells below its limit: over a gap it rests', () => {
    const { engine, submit } = long();
    submit(PERP, 'sell', '1', { orderType: 'STOP', stopPrice: '39500', limitPrice: '39400', reduceOnly: true });
    expect(engine.market(tick(PERP, 1, 39_000))).toEqual([]);
    expect(brief(engine.market(tick(PERP, 2, 39_401)))).toEqual(['maker 1@39400']);
  });

  it('inside a bar is filled at its stop when the limit allows it', () => {
    const { engine, submit } = bench({}, margin({ deposit: '100000' }));
    engine.market(barOpened(PERP, 0, 40_000));
    submit(PERP, 'buy', '1');
    submit(PERP, 'sell', '1', { orderType: 'STOP', stopPrice: '39500', limitPrice: '39400', reduceOnly: true });
    expect(brief(engine.market(barClosed(PERP, 0, [40_000, 40_000, 39_000, 39_600])))).toEqual(['taker 1@39500']);
  });
});

describe('a post-only order', () => {
  const postOnly = (limitPrice: string) => ({ orderType: 'LIMIT', timeInForce: 'ALO', limitPrice }) as const;

  it('is rejected when it would be filled at once, with the words of the venue', () => {
    const { engine, submit } = bench();
    engine.market(tick(SPOT, 0, 39_999, { kind: 'bid' }));
    engine.market(tick(SPOT, 0, 40_001, { kind: 'ask' }));
    const reports = submit(SPOT, 'buy', '1', postOnly('40001'));
    expect(brief(reports)).toEqual(['rejected post_only']);
    expect(reports[0]?.message).toBe('Post only order would have immediately matched, bbo was 39999@40001.');
  });

  it('rests otherwise, and is never a taker, whatever comes', () => {
    const { engine, submit } = bench();
    engine.market(tick(SPOT, 0, 40_000));
    expect(brief(submit(SPOT, 'buy', '1', postOnly('39990')))).toEqual(['accepted']);
    expect(brief(engine.market(tick(SPOT, 1, 39_000)))).toEqual(['maker 1@39990']);
    const next = bench({ marketFill: 'next' });
    next.submit(SPOT, 'buy', '1', postOnly('39990'));
    expect(brief(next.engine.market(tick(SPOT, 1, 39_000)))).toEqual(['maker 1@39990']);
  });

  it('is for limit orders only', () => {
    const { engine, submit } = bench();
    engine.market(tick(SPOT, 0, 40_000));
    expect(brief(submit(SPOT, 'buy', '1', { timeInForce: 'ALO' }))).toEqual(['rejected malformed_order']);
  });
});

describe('latency', () => {
  const slow = (leg: 'feed' | 'order' | 'ack') => bench({ latency: { [leg]: { minMs: 500 } } });

  it.each(['feed', 'order'] as const)('%s: the order meets the market as it is then, not as it was seen', (leg) => {
    const { engine, submit } = slow(leg);
    engine.market(tick(SPOT, 0, 40_000));
    expect(submit(SPOT, 'buy', '1')).toEqual([]);
    engine.market(tick(SPOT, 499, 40_100));
    // What is due at 500 is fired before the price of 600.
    expect(brief(engine.market(tick(SPOT, 600, 45_000)))).toEqual(['accepted', 'taker 1@40100']);
  });

  it('acknowledgement: the fill is at once, the platform hears of it later', () => {
    const { engine, submit } = slow('ack');
    engine.market(tick(SPOT, 0, 40_000));
    expect(submit(SPOT, 'buy', '1')).toEqual([]);
    expect(engine.books('main').positions[0]?.quantity).toBe('1');
    expect(engine.market(tick(SPOT, 499, 41_000))).toEqual([]);
    const reports = engine.market(tick(SPOT, 501, 41_000));
    expect(brief(reports)).toEqual(['accepted', 'taker 1@40000']);
    expect(reports.map(({ timestamp }) => timestamp % 1_000)).toEqual([500, 500]);
  });

  it('adds the legs up', () => {
    const { engine, submit } = bench({ latency: { feed: { minMs: 100 }, order: { minMs: 200 }, ack: { minMs: 400 } } });
    engine.market(tick(SPOT, 0, 40_000));
    submit(SPOT, 'buy', '1');
    engine.market(tick(SPOT, 299, 40_010));
    engine.market(tick(SPOT, 301, 40_020));
    expect(engine.books('main').positions[0]?.costBasis).toBe('40010');
    expect(brief(engine.market(tick(SPOT, 701, 40_030)))).toEqual(['accepted', 'taker 1@40010']);
  });
});

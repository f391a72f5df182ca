import { stateHash } from '@moon/kernel';
import { bench, brief, margin, PERP, SPOT } from '../testing/engine-bench';
import { T0, tick } from '../testing/venue-desk';
import { completeVenueConfig, createVenueEngine, venueHashView, type VenueState } from '.';

describe('the venue engine', () => {
  it('draws delays within their bounds, the same for the same order and seed, others for another seed', () => {
    const arrivals = (seed: string) =>
      Array.from({ length: 40 }, () =>
        bench({ seed, latency: { feed: { minMs: 5 }, order: { minMs: 10, maxMs: 90 } } }),
      ).map(({ engine, submit }, i) => {
        engine.market(tick(SPOT, 0, 40_000));
        submit(SPOT, 'buy', '1', { clientOrderId: `order-${i}` });
        return (engine.nextDueAt() ?? 0) - T0;
      });
    const first = arrivals('a');
    expect(Math.min(...first)).toBeGreaterThanOrEqual(15);
    expect(Math.max(...first)).toBeLessThanOrEqual(95);
    expect(new Set(first).size).toBeGreaterThan(20);
    expect(arrivals('a')).toEqual(first);
    expect(arrivals('b')).not.toEqual(first);
  });

  it('fires what is due in order of time before it takes an event, and of one instant in order of making', () => {
    const { engine, submit, desk } = bench({ latency: { order: { minMs: 100 } } });
    engine.market(tick(SPOT, 0, 40_000));
    const order = desk.order(SPOT, 'buy', '1', { orderType: 'LIMIT', limitPrice: '39000' });
    engine.submit(order);
    submit(SPOT, 'buy', '2', { sentAt: 50 });
    engine.cancel(desk.cancel(order, 50));
    expect(brief(engine.market(tick(SPOT, 150, 38_000)))).toEqual([
      'accepted',
      'accepted',
      'taker 2@40000',
      'cancelled cancelled',
    ]);
  });

  it('rejects a cancellation that overtakes its order, and names the order that it was told of', () => {
    const { engine, desk } = bench();
    const order = desk.order(SPOT, 'buy', '1');
    const [report] = engine.cancel({ ...desk.cancel(order), orderId: order.orderId });
    expect(report).toMatchObject({ kind: 'cancel_rejected', code: 'unknown_order', order_id: order.orderId });
  });

  it('keeps reports of an account in their order, whatever delays were drawn', () => {
    const { engine, submit } = bench({ latency: { ack: { minMs: 0, maxMs: 500 } } });
    engine.market(tick(SPOT, 0, 40_000));
    for (let i = 0; i < 30; i += 1) submit(SPOT, 'buy', '1', { sentAt: i, orderId: `o-${i}` });
    engine.advanceTo(T0 + 10_000);
    const reports = engine.reportsSince('main', 0);
    expect(reports.map((report) => report.order_id)).toEqual(
      Array.from({ length: 30 }, (_, i) => [`o-${i}`, `o-${i}`]).flat(),
    );
    const times = reports.map((report) => report.timestamp);
    expect(times).toEqual([...times].sort((a, b) => a - b));
  });

  it('forgets old reports and finished orders, and says so', () => {
    const { engine, submit } = bench({ keepReports: 4, keepOrders: 2 });
    engine.market(tick(SPOT, 0, 40_000));
    for (let i = 0; i < 10; i += 1) submit(SPOT, 'buy', '1', { clientOrderId: `c-${i}` });
    expect(engine.reportsSince('main', 16).map((report) => report.venueSeq)).toEqual([17, 18, 19, 20]);
    expect(() => engine.reportsSince('main', 0)).toThrow(expect.objectContaining({ code: 'reports_gone' }) as Error);
    expect(engine.query('main', 'c-9')).toMatchObject({ known: true, status: 'filled' });
    expect(engine.query('main', 'c-0')).toMatchObject({ known: false });
  });

  it('takes names of object members for the unknown names that they are', () => {
    const { engine, submit } = bench();
    expect(() => engine.books('constructor')).toThrow(expect.objectContaining({ code: 'unknown_account' }) as Error);
    expect(brief(submit('constructor', 'buy', '1'))).toEqual(['rejected unknown_instrument']);
    expect(engine.market(tick('toString', 1, 5))).toEqual([]);
    expect(engine.query('hasOwnProperty', 'valueOf')).toEqual({ known: false, venueTime: T0 + 1 });
  });

  it('refuses an account whose figures are none', () => {
    const { engine, account } = bench();
    const refused = (spec: object) => {
      expect(() => engine.openAccount({ ...account, portfolio: 'second', ...spec })).toThrow(
        expect.objectContaining({ name: 'VenueRefused' }) as Error,
      );
    };
    refused({ deposit: '1e5' });
    refused({ portfolio: '__proto__' });
    refused({ leverage: { [PERP]: 2.5 } });
    refused({ positions: [{ instrument: PERP, side: 'long', quantity: '0', price: '1' }] });
    refused({ leverage: { NOSUCH: 1 } });
    expect(engine.portfolios()).toEqual(['main']);
  });

  it('keeps the books of portfolios apart', () => {
    const { engine, account, submit } = bench({ liquidity: { participation: 0.1 } });
    engine.openAccount({ ...account, portfolio: 'second' });
    engine.market(tick(SPOT, 0, 40_000, { size: 10 }));
    submit(SPOT, 'buy', '1');
    expect(brief(submit(SPOT, 'sell', '1', { portfolio: 'second' }))).toEqual(['accepted', 'taker 1@40000']);
    expect(engine.books('main').positions).toMatchObject([{ quantity: '1' }]);
    expect(engine.books('second')).toMatchObject({ positions: [{ quantity: '-1' }], lastVenueSeq: 2 });
  });

  it('has plain JSON for a state', () => {
    const { engine, submit } = bench({ latency: { ack: { minMs: 5 } } }, margin());
    engine.market(tick(PERP, 0, 40_000));
    submit(PERP, 'buy', '1');
    submit(PERP, 'buy', '0.1', { orderType: 'LIMIT', limitPrice: '39000' });
    expect(JSON.parse(JSON.stringify(engine.state()))).toEqual(engine.state());
  });
});

describe('the hash view of a venue', () => {
  const hash = (state: Readonly<VenueState>) => stateHash({ handlers: {}, venues: { paper: venueHashView(state) } });
  const play = (price: number, firstNonce: number) => {
    const { engine, submit } = bench();
    engine.market(tick(SPOT, 0, price));
    submit(SPOT, 'buy', '1', { nonce: firstNonce, clientOrderId: `c-${firstNonce}`, orderId: 'a' });
    submit(SPOT, 'buy', '1', {
      nonce: firstNonce + 1,
      clientOrderId: `d-${firstNonce}`,
      orderId: 'b',
      orderType: 'LIMIT',
      limitPrice: '39000',
    });
    return engine;
  };

  it('changes with one fill by the smallest unit', () => {
    expect(hash(play(40_000.01, 1).state())).not.toBe(hash(play(40_000, 1).state()));
  });

  it('does not see nonces, client order ids, report numbers or prices', () => {
    const other = play(40_000, 500);
    other.market(tick(SPOT, 1, 39_999));
    expect(hash(other.state())).toBe(hash(play(40_000, 1).state()));
  });

  it('sees orders that rest or are under way', () => {
    const { engine, desk } = bench({ latency: { order: { minMs: 100 } } });
    const before = hash(engine.state());
    engine.submit(desk.order(SPOT, 'buy', '1'));
    expect(hash(engine.state())).not.toBe(before);
  });
});

describe('the configuration', () => {
  it('has a default for everything', () => {
    expect(completeVenueConfig()).toMatchObject({
      name: 'paper',
      marketFill: 'last',
      latency: { order: { minMs: 0, maxMs: 0 } },
    });
    expect(completeVenueConfig({ latency: { ack: { minMs: 7 } } }).latency.ack).toEqual({ minMs: 7, maxMs: 7 });
  });

  it('is refused with key, value and rule', () => {
    expect(() => createVenueEngine({ slippage: { bps: -1 } })).toThrow(/\/slippage\/bps is -1; /);
    expect(() => createVenueEngine({ slipage: {} } as object)).toThrow(/\/slipage is \{\}; /);
  });
});

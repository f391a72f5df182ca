import fc from 'fast-check';
import { Desk, BTC, cashOpening, opening, orderId, SPOT, T0 } from './fixtures/desk';

const PRICE = 50_000;
const types = (desk: Desk, from = 0) => desk.log.slice(from).map(({ type }) => type);

describe('placing an order', () => {
  it('[EXE-1] an approved order is requested, reserved and approved in one go', () => {
    const desk = new Desk().open().price(PRICE);
    desk.place('a');
    expect(types(desk)).toEqual(['order.requested', 'portfolio.reserved', 'order.approved']);
    expect(desk.of('order.requested')[0]).toMatchObject({
      order_id: orderId('a'),
      referencePrice: PRICE,
      quantity: '0.1',
    });
    // 5,000 with the taker fee of 0.045 % and a reserve of 0.5 %.
    expect(desk.of('portfolio.reserved')[0]).toMatchObject({ notional: '5027.25', reduceOnly: false });
    expect(desk.of('order.approved')[0]).toMatchObject({ recordedBreaches: [], limitsChecked: 24 });
    expect(desk.state.orders[orderId('a')]?.status).toBe('approved');
  });

  it('the same order id is decided once, approved or refused', () => {
    const desk = new Desk().open().price(PRICE).place('a').place('a', { quantity: '5' });
    expect(types(desk).filter((type) => type === 'order.requested')).toHaveLength(1);
    const refused = new Desk().place('b').place('b');
    expect(refused.of('trade.rejected')).toHaveLength(1);
  });

  it('[EXE-1] an order that passes in spite of a breach goes out reduce-only', () => {
    const desk = new Desk().open().price(PRICE).trade('a', { quantity: '0.3' }, '50000');
    desk.command({ type: 'RaiseHalt', key: 'main', source: 'operator', scope: 'portfolio', reason: 'audit' });
    desk.place('b', { side: 'sell', quantity: '0.1' });
    expect(desk.of('order.requested')[1]).toMatchObject({ order_id: orderId('b'), reduceOnly: true });
    expect(desk.of('portfolio.reserved')[1]?.reduceOnly).toBe(true);
  });

  it('a second order of one approval is a duplicate, whatever its id', () => {
    const desk = new Desk().open().price(PRICE).place('a', { origin: 'consensus' });
    desk.place('b', { origin: 'consensus', approvalId: desk.of('order.requested')[0]?.approvalId as string });
    expect(desk.of('trade.rejected')[0]).toMatchObject({ order_id: orderId('b'), reason: 'DUPLICATE_ORDER' });
  });

  it('an order that came to nothing may be repeated at once', () => {
    const desk = new Desk().open(opening({ limits: {} })).price(PRICE);
    desk
      .place('a')
      .submitted('a')
      .report({ kind: 'rejected', order_id: orderId('a'), code: 'busy', message: 'Busy.' });
    desk.place('b');
    expect(desk.of('order.approved').map(({ order_id }) => order_id)).toEqual([orderId('a'), orderId('b')]);
  });

  it.each([
    ['PRICE_MISSING', { orderType: 'LIMIT' as const }],
    ['LOT_SIZE', { quantity: '0' }],
  ])('terms that make no order are refused with %s', (reason, over) => {
    const desk = new Desk().open().price(PRICE).place('a', over);
    expect(types(desk)).not.toContain('order.requested');
    expect(desk.of('trade.rejected')[0]?.breaches?.map(({ code }) => code)).toContain(reason);
  });

  it('a cash account buys with what orders in flight leave, and sells what it has', () => {
    const desk = new Desk().open(cashOpening(), '10000').price(PRICE, SPOT);
    desk.place(1, { instrument: SPOT }).place(2, { instrument: SPOT });
    expect(desk.of('trade.rejected')[0]).toMatchObject({ order_id: orderId(2), reason: 'INSUFFICIENT_CASH' });
    desk.submitted(1).fill(1, '0.1', '50000');
    desk.place(3, { instrument: SPOT, side: 'sell', quantity: '0.06' });
    desk.place(4, { instrument: SPOT, side: 'sell', quantity: '0.06' });
    expect(desk.of('order.approved').map(({ order_id }) => order_id)).toEqual([orderId(1), orderId(3)]);
    expect(desk.of('trade.rejected')[1]).toMatchObject({ order_id: orderId(4), reason: 'SHORT_NOT_ALLOWED' });
  });

  it('[EXE-1] whatever is asked for, exposure with everything in flight stays within the limits', () => {
    const order = fc.record({
      side: fc.constantFrom('buy' as const, 'sell' as const),
      lots: fc.integer({ min: 1, max: 60_000 }),
      fills: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(order, { minLength: 1, maxLength: 12 }), (orders) => {
        const limits = { duplicate_order: 0, max_leverage: 0.8, orders_per_second: 1_000 };
        const desk = new Desk().open(opening({ limits })).price(PRICE);
        orders.forEach(({ side, lots, fills }, index) => {
          const quantity = String(lots / 100_000);
          desk.place(index, { side, quantity });
          if (fills && desk.state.orders[orderId(index)]?.status === 'approved') {
            desk.submitted(index).fill(index, quantity, String(PRICE));
          }
          let long = Number(desk.portfolio.positions[BTC]?.quantity ?? 0);
          let short = long;
          for (const { side: way, quantity: open } of Object.values(desk.portfolio.reservations)) {
            if (way === 'buy') long += Number(open);
            else short -= Number(open);
          }
          const worst = Math.max(Math.abs(long), Math.abs(short)) * PRICE;
          expect(worst).toBeLessThanOrEqual(0.8 * 100_000 * (1 + 1e-9));
        });
      }),
      { numRuns: 40 },
    );
  });
});

describe('cancelling', () => {
  it('an order that was never sent is cancelled at once and its room is free', () => {
    const desk = new Desk().open().price(PRICE).place('a');
    desk.command({ type: 'CancelOrder', key: 'main', orderId: orderId('a'), reason: 'changed my mind' });
    expect(types(desk, 3)).toEqual(['order.cancel_requested', 'trade.cancelled', 'portfolio.reservation_released']);
    expect(desk.portfolio.reservations).toEqual({});
  });

  it('of an order that was sent the venue decides; the room stays taken until it has', () => {
    const desk = new Desk().open().price(PRICE).place('a').submitted('a');
    desk.command({ type: 'CancelOrder', key: 'main', orderId: orderId('a'), reason: 'changed my mind' });
    expect(types(desk, 3)).toEqual(['order.cancel_requested']);
    expect(desk.portfolio.reservations[orderId('a')]).toBeDefined();
    desk.report({ kind: 'cancelled', order_id: orderId('a'), code: 'user' });
    expect(desk.of('trade.cancelled')).toHaveLength(1);
    expect(desk.portfolio.reservations).toEqual({});
  });

  it('an order that is over, or unknown, is left as it is', () => {
    const desk = new Desk().open().price(PRICE).trade('a', {}, '50000');
    const before = desk.log.length;
    for (const id of ['a', 'unknown']) {
      desk.command({ type: 'CancelOrder', key: 'main', orderId: orderId(id), reason: 'late' });
    }
    expect(desk.log).toHaveLength(before);
  });

  it('an order that was cancelled before it was sent stays cancelled when its bytes are stored late', () => {
    const desk = new Desk().open().price(PRICE).place('a');
    desk.command({ type: 'CancelOrder', key: 'main', orderId: orderId('a'), reason: 'halt' }).submitted('a');
    expect(desk.of('order.approved')).toHaveLength(1);
    expect(desk.portfolio).toMatchObject({ reservations: {}, halts: [] });
    desk.place('a');
    expect(desk.of('order.requested')).toHaveLength(1);
  });
});

describe('closing a position', () => {
  const close = (desk: Desk, attempt = 1) =>
    desk.command({
      type: 'ClosePosition',
      key: 'main',
      portfolio: 'main',
      instrument: BTC,
      origin: 'force_close',
      priority: 'force_close',
      reason: 'liquidation_risk',
      sagaId: orderId('saga'),
      attempt,
    });

  it('orders what is left of it, reduce-only, while trading is halted', () => {
    const desk = new Desk().open().price(PRICE).trade('a', { side: 'sell', quantity: '0.3' }, '50000');
    desk.command({ type: 'RaiseHalt', key: 'main', source: 'force-close', scope: 'portfolio', reason: 'force_close' });
    const before = desk.log.length;
    close(desk);
    expect(types(desk, before)).toEqual([
      'trade.close',
      'order.requested',
      'portfolio.reserved',
      'risk.constraint_violation',
      'order.approved',
    ]);
    expect(desk.of('trade.close')[0]).toMatchObject({ side: 'buy', quantity: '0.3', reason: 'liquidation_risk' });
    expect(desk.of('order.requested')[1]).toMatchObject({
      reduceOnly: true,
      priority: 'force_close',
      origin: 'force_close',
    });
  });

  it('says nothing when orders in flight close it already, and when it is flat', () => {
    const desk = new Desk().open().price(PRICE).trade('a', { quantity: '0.3' }, '50000');
    close(desk);
    const before = desk.log.length;
    close(desk);
    close(desk, 2);
    expect(desk.log).toHaveLength(before);
    expect(new Desk().open().price(PRICE).of('trade.close')).toEqual([]);
  });

  it('the next attempt takes what the one before left over', () => {
    const desk = new Desk().open().price(PRICE).trade('a', { quantity: '0.3' }, '50000');
    close(desk);
    const first = desk.of('order.requested')[1]?.order_id as string;
    desk.submitted('', first).fill('', '0.1', '49000', first);
    desk.report({ kind: 'cancelled', order_id: first, code: 'ioc' });
    close(desk, 2);
    expect(desk.of('order.requested')[2]).toMatchObject({ quantity: '0.2', side: 'sell' });
    expect(desk.of('trade.rejected')).toEqual([]);
  });
});

describe('memory', () => {
  it('keeps a bounded number of ended orders, none of them with its bytes, and of unsent ones only the id', () => {
    const limits = { duplicate_order: 0, orders_per_second: 10_000 };
    const desk = new Desk().open(opening({ limits })).price(PRICE);
    for (let index = 0; index < 150; index++) {
      desk
        .at(T0 + index)
        .place(index)
        .submitted(index);
      desk.report({ kind: 'cancelled', order_id: orderId(index), code: 'ioc' });
      desk.place(`refused ${index}`, { quantity: '0.000001' });
    }
    expect(Object.keys(desk.state.orders)).toHaveLength(64);
    expect(desk.state.orders[orderId(149)]).toMatchObject({ status: 'cancelled', attempt: 1 });
    expect(desk.state.orders[orderId(149)]?.payload).toBeUndefined();
    expect(desk.state.orders[orderId(0)]).toBeUndefined();
    expect(desk.state.unsent).toHaveLength(128);
    expect(JSON.stringify(desk.state).length).toBeLessThan(75_000);
  });
});

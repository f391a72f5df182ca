import { evolveOrder, type OrderState } from '../order';
import { ledgerImbalance } from '../portfolio';
import { BTC, Desk, opening, orderId, T0 } from './fixtures/desk';

const PRICE = 50_000;
const desk = () => new Desk().open().price(PRICE);
const types = (from: Desk, start: number) => from.log.slice(start).map(({ type }) => type);
const halts = (from: Desk) => from.portfolio.halts.map(({ source, reason }) => `${source}: ${reason}`);

describe('[EXE-4] an order is tracked to its end', () => {
  it('accepted, filled in part, filled: placed, executed, booked, released', () => {
    const book = desk().place('a', { quantity: '0.3' }).submitted('a');
    const start = book.log.length;
    book.report({ kind: 'accepted', order_id: orderId('a'), venueOrderId: `v-${orderId('a').slice(0, 8)}` });
    book.fill('a', '0.1', '50000').fill('a', '0.2', '50010');
    expect(types(book, start)).toEqual([
      'trade.placed',
      'trade.executed',
      'portfolio.fill_booked',
      'portfolio.reservation_released',
      'trade.executed',
      'portfolio.fill_booked',
      'portfolio.reservation_released',
    ]);
    expect(book.of('trade.executed')).toMatchObject([
      { fill_price: 50_000, filled_amount: 0.1, status: 'PARTIALLY_FILLED', cumulativeQuantity: '0.1' },
      { fill_price: 50_010, filled_amount: 0.2, status: 'FILLED', cumulativeQuantity: '0.3' },
    ]);
    expect(book.portfolio.positions[BTC]?.quantity).toBe('0.3');
    expect(book.portfolio.reservations).toEqual({});
    expect(ledgerImbalance(book.portfolio)).toBe('0');
    expect(halts(book)).toEqual([]);
  });

  it.each([
    ['rejected', 'trade.rejected'],
    ['cancelled', 'trade.cancelled'],
    ['expired', 'trade.expired'],
  ] as const)('%s after a partial fill keeps the fill and frees the rest', (kind, type) => {
    const book = desk().place('a', { quantity: '0.3' }).submitted('a').fill('a', '0.1', '50000');
    book.report({ kind, order_id: orderId('a'), code: 'because', message: 'Because.' });
    // What has filled in part was accepted: a rejection of the rest is a cancellation.
    expect(book.of(kind === 'rejected' ? 'trade.cancelled' : type)).toHaveLength(1);
    expect(book.of('portfolio.reservation_released').map(({ quantity }) => quantity)).toEqual(['0.1', '0.2']);
    expect(book.portfolio.positions[BTC]?.quantity).toBe('0.1');
  });

  it('a rejection by the venue carries its reason', () => {
    const book = desk().place('a').submitted('a');
    book.report({ kind: 'rejected', order_id: orderId('a'), code: 'min_trade_ntl', message: 'Too small.' });
    expect(book.of('trade.rejected')[0]).toMatchObject({
      reason: 'min_trade_ntl',
      message: 'Too small.',
      stage: 'venue',
    });
  });

  it('an unknown outcome keeps the reservation until the answer', () => {
    const book = desk().place('a').submitted('a');
    const silence = { order_id: orderId('a'), portfolio: 'main', attempt: 1, detail: 'timeout', timestamp: T0 };
    book.event('order.outcome_unknown', silence);
    expect(book.state.orders[orderId('a')]?.status).toBe('unknown');
    expect(book.portfolio.reservations[orderId('a')]).toBeDefined();
    book.fill('a', '0.1', '50000');
    expect(book.state.orders[orderId('a')]?.status).toBe('filled');
    book.event('order.outcome_unknown', { ...silence, detail: 'overtaken' });
    expect(book.state.orders[orderId('a')]?.status).toBe('filled');
    expect(halts(book)).toEqual([]);
  });

  it('an order that certainly never left is rejected and its room is free', () => {
    const book = desk().place('a');
    book.event('order.withheld', {
      order_id: orderId('a'),
      portfolio: 'main',
      reason: 'HALTED',
      detail: 'Halted.',
      timestamp: T0,
    });
    expect(book.of('trade.rejected')[0]).toMatchObject({ reason: 'HALTED', message: 'Halted.', stage: 'venue' });
    expect(book.portfolio.reservations).toEqual({});
    book.event('order.withheld', {
      order_id: orderId('a'),
      portfolio: 'main',
      reason: 'HALTED',
      detail: 'Again.',
      timestamp: T0,
    });
    expect(book.of('trade.rejected')).toHaveLength(1);
  });

  it('the closing fill ends the position with its result; a flip opens the other side', () => {
    const book = desk().trade('a', { quantity: '0.1' }, '50000').trade('b', { side: 'sell', quantity: '0.3' }, '51000');
    expect(book.of('position.closed')[0]).toMatchObject({
      side: 'long',
      quantity: '0.1',
      realisedPnl: '100',
      exit_price: 51_000,
    });
    expect(book.portfolio.positions[BTC]?.quantity).toBe('-0.2');
  });

  it('an order folded from what was emitted is the order that the owner holds', () => {
    const book = desk()
      .place('a', { quantity: '0.3' })
      .submitted('a')
      .fill('a', '0.1', '50000')
      .fill('a', '0.2', '50010');
    let folded: OrderState | undefined;
    for (const emission of book.log) {
      const id = (emission.data as { order_id?: string }).order_id;
      if (id !== orderId('a') || emission.type.startsWith('portfolio.')) continue;
      folded = evolveOrder(folded, emission as Parameters<typeof evolveOrder>[1]);
      if (emission.type === 'order.approved') {
        folded = { ...folded, ...pick(book.state.orders[orderId('a')] as OrderState), status: 'submitted' };
      }
    }
    expect(folded).toEqual(book.state.orders[orderId('a')]);
  });
});

/** What the sender's event brings, which is an input and not emitted here. */
function pick({ attempt, clientOrderId, nonce, expiresAt }: OrderState): Partial<OrderState> {
  return { attempt, clientOrderId, nonce, expiresAt } as Partial<OrderState>;
}

describe('reports that contradict the books halt the portfolio', () => {
  const filled = (over: object) => ({
    kind: 'filled' as const,
    order_id: orderId('a'),
    venueOrderId: 'v',
    instrument: BTC,
    side: 'buy' as const,
    price: '50000',
    quantity: '0.1',
    fee: '0',
    feeAsset: 'USDC',
    liquidity: 'taker' as const,
    fillId: 'f1',
    ...over,
  });

  it.each([
    ['overfill', (book: Desk) => book.report(filled({ quantity: '0.2' }))],
    ['fill_mismatch', (book: Desk) => book.report(filled({ side: 'sell' }))],
    ['UNKNOWN_ORDER', (book: Desk) => book.report(filled({ order_id: orderId('nobody') }))],
    ['fill_incomplete', (book: Desk) => book.report({ kind: 'filled', order_id: orderId('a') })],
    ['REPORT_INCOMPLETE', (book: Desk) => book.report({ kind: 'funding', instrument: BTC })],
    ['UNKNOWN_INSTRUMENT', (book: Desk) => book.report({ kind: 'liquidation', instrument: 'nothing' })],
  ])('%s', (reason, act) => {
    const book = desk().place('a').submitted('a');
    const before = book.portfolio.positions;
    act(book);
    expect(halts(book)).toEqual([`integrity: ${reason}`]);
    expect(book.of('halt.raised')[0]?.detail).not.toBe('');
    expect(book.portfolio.positions).toEqual(before);
    book.place('next');
    expect(book.of('trade.rejected')[0]?.reason).toBe('HALTED');
  });

  it('a fill of an order whose submission was never stored is booked, and halts', () => {
    const book = desk().place('a').report(filled({}));
    expect(book.portfolio.positions[BTC]?.quantity).toBe('0.1');
    expect(halts(book)).toEqual(['integrity: fill_before_submission']);
  });

  it('a report that comes twice is booked once', () => {
    const book = desk().place('a').submitted('a').fill('a', '0.1', '50000');
    const again = { portfolio: 'main', venue: 'paper', reportId: 'main-1', venueSeq: 1, timestamp: T0, ...filled({}) };
    book.event('venue.report', again);
    expect(book.portfolio.positions[BTC]?.quantity).toBe('0.1');
    expect(halts(book)).toEqual([]);
  });

  it('a missing report halts, and the one at hand is booked', () => {
    const book = desk().place('a').submitted('a');
    book.event('venue.report', {
      portfolio: 'main',
      venue: 'paper',
      reportId: 'x',
      venueSeq: 3,
      timestamp: T0,
      ...filled({}),
    });
    expect(halts(book)).toEqual(['integrity: VENUE_REPORTS_MISSING']);
    expect(book.portfolio.positions[BTC]?.quantity).toBe('0.1');
  });

  it('a late fill of a cancelled order is booked', () => {
    const book = desk()
      .place('a')
      .submitted('a')
      .report({ kind: 'cancelled', order_id: orderId('a') });
    book.fill('a', '0.1', '50000');
    expect(book.portfolio.positions[BTC]?.quantity).toBe('0.1');
    expect(halts(book)).toEqual([]);
  });
});

describe('what happens to an account', () => {
  const held = () => desk().trade('a', { quantity: '0.3' }, '50000');

  it('funding is booked once for each settlement, with the sign of the position', () => {
    const book = held();
    const funding = {
      kind: 'funding',
      instrument: BTC,
      token: 'BTC',
      rate: 0.0001,
      settlesAt: T0,
      price: '50000',
      quantity: '0.3',
      side: 'buy',
      amount: '-1.5',
    } as const;
    book.report(funding).report(funding);
    expect(book.of('portfolio.funding_booked')).toEqual([
      expect.objectContaining({ amount: '-1.5', positionQuantity: '0.3' }),
    ]);
    expect(ledgerImbalance(book.portfolio)).toBe('0');
  });

  it('a liquidation closes the position by the price that the venue made', () => {
    const book = held();
    const start = book.log.length;
    book.report({
      kind: 'liquidation',
      instrument: BTC,
      side: 'sell',
      price: '34000',
      quantity: '0.3',
      fee: '4.6',
      feeAsset: 'USDC',
      fillId: 'liq-1',
    });
    expect(types(book, start)).toEqual(['portfolio.liquidated', 'portfolio.fill_booked', 'position.closed']);
    expect(book.portfolio.positions).toEqual({});
    expect(ledgerImbalance(book.portfolio)).toBe('0');
  });

  it('a liquidation of more than is held is no fill of ours: it halts', () => {
    const book = held();
    book.report({
      kind: 'liquidation',
      instrument: BTC,
      side: 'sell',
      price: '34000',
      quantity: '0.4',
      fillId: 'liq-1',
    });
    expect(halts(book)).toEqual(['integrity: liquidation_exceeds_position']);
    expect(book.portfolio.positions[BTC]?.quantity).toBe('0.3');
  });

  it('reports of a portfolio that is not open here halt it', () => {
    const book = new Desk().report({ kind: 'funding', instrument: BTC });
    expect(book.of('halt.raised')[0]).toMatchObject({ portfolio: 'main', reason: 'UNKNOWN_PORTFOLIO' });
  });

  it('the state hash does not see how the owner came by its state', () => {
    const book = held();
    const view = JSON.stringify(book.handler.hashView?.(book.state));
    expect(view).not.toMatch(/nonce|payload|signature|venueSeq|reconciledAt/);
    const other = new Desk().open(opening()).price(PRICE).trade('a', { quantity: '0.3' }, '50000.1');
    expect(JSON.stringify(other.handler.hashView?.(other.state))).not.toBe(view);
  });
});

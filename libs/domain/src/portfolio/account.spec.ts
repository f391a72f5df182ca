import {
  bookAll,
  codeOf,
  factsOf,
  fillOf,
  fold,
  funded,
  instrument,
  INVERSE,
  opening,
  PERP,
  SPOT,
  T0,
} from './fixtures/portfolios';
import {
  decideDeposit,
  decideFunding,
  decideInitialPosition,
  decideLiftHalt,
  decideOpen,
  decideRaiseHalt,
  decideRelease,
  decideReservation,
  decideWithdrawal,
  evolvePortfolio,
  IllegalPortfolioEvent,
  isHalted,
  ledgerImbalance,
  netFlows,
  portfolioHashView,
  reducibleQuantity,
  reservedNotional,
  reservedQuantity,
  signedQuantity,
  valuation,
  type PortfolioState,
} from '.';

const margin = () => funded(opening('margin', PERP, { marginMode: 'isolated', leverage: 10 }), '10000');
const cash = () => funded(opening('cash', SPOT), '10000');
const HOUR = 3_600_000;

describe('opening a portfolio', () => {
  it('is possible once, on instruments that its account can hold', () => {
    expect(factsOf(decideOpen(undefined, opening('margin', PERP, { marginMode: 'cross', leverage: 40 })))).toHaveLength(
      1,
    );
    expect(codeOf(decideOpen(margin(), opening('margin', PERP)))).toBe('already_open');
    expect(codeOf(decideOpen(undefined, opening('margin', PERP, { leverage: 41 })))).toBe('leverage_too_high');
    expect(codeOf(decideOpen(undefined, opening('cash', SPOT, { leverage: 2 })))).toBe('leverage_too_high');
    expect(codeOf(decideOpen(undefined, opening('cash', INVERSE)))).toBe('unsupported_instrument');
    expect(codeOf(decideOpen(undefined, opening('margin', PERP, { more: [SPOT] })))).toBe('settlement_mismatch');
    expect(codeOf(decideOpen(undefined, opening('margin', PERP, { more: ['nothing'] })))).toBe('unknown_instrument');
  });

  it('books deposits and withdrawals as flows, not as profit', () => {
    const state = fold(factsOf(decideWithdrawal(margin(), { amount: '400', timestamp: T0 })), margin());
    expect(state).toMatchObject({ cash: '9600', deposits: '10000', withdrawals: '400', realisedPnl: '0' });
    expect(netFlows(state)).toBe('9600');
    expect(codeOf(decideDeposit(state, { amount: '0', timestamp: T0 }))).toBe('invalid_amount');
    expect(codeOf(decideWithdrawal(state, { amount: '-1', timestamp: T0 }))).toBe('invalid_amount');
  });

  it('lets out no money that positions or orders in flight need', () => {
    expect(codeOf(decideWithdrawal(cash(), { amount: '10000.01', timestamp: T0 }))).toBe('insufficient_funds');
    const order = {
      orderId: 'a4be2f6d-7f0c-53d1-9f43-5d2c1b0a9e05',
      instrument: SPOT,
      side: 'buy',
      quantity: '1',
      notional: '4000',
      reduceOnly: false,
      timestamp: T0,
    } as const;
    const waiting = fold(factsOf(decideReservation(cash(), order)), cash());
    expect(codeOf(decideWithdrawal(waiting, { amount: '6000.01', timestamp: T0 }))).toBe('insufficient_funds');
    const open = bookAll(margin(), [fillOf('buy', '0.5', '100000')]);
    expect(codeOf(decideWithdrawal(open, { amount: '1', timestamp: T0 }))).toBe('valuation_missing');
    const value = valuation(open, { [PERP]: 100_000 }, T0, null);
    expect(codeOf(decideWithdrawal(open, { amount: '5000.01', timestamp: T0 }, value))).toBe('insufficient_funds');
    expect(factsOf(decideWithdrawal(open, { amount: '5000', timestamp: T0 }, value))).toHaveLength(1);
  });

  it('takes initial positions: a margin account holds them, a cash account pays for them', () => {
    const given = {
      token: 'BTC',
      instrument: PERP,
      side: 'short',
      quantity: '0.5',
      price: '100000',
      timestamp: T0,
    } as const;
    const state = fold(factsOf(decideInitialPosition(margin(), given)), margin());
    expect(state).toMatchObject({
      cash: '10000',
      positions: { [PERP]: { quantity: '-0.5', costBasis: '-50000', margin: '5000' } },
    });
    const more = fold(factsOf(decideInitialPosition(margin(), { ...given, margin: '7000' })), margin());
    expect(more.positions[PERP]?.margin).toBe('7000');
    const bought = { ...given, instrument: SPOT, side: 'long', price: '20000' } as const;
    const paid = fold(factsOf(decideInitialPosition(cash(), bought)), cash());
    expect(paid).toMatchObject({ cash: '0', positions: { [SPOT]: { costBasis: '10000' } } });
    expect(ledgerImbalance(paid)).toBe('0');
    expect(codeOf(decideInitialPosition(cash(), { ...bought, price: '20000.1' }))).toBe('insufficient_cash');
    expect(codeOf(decideInitialPosition(cash(), { ...bought, side: 'short' }))).toBe('short_not_allowed');
    expect(codeOf(decideInitialPosition(state, given))).toBe('position_exists');
    expect(codeOf(decideInitialPosition(margin(), { ...given, quantity: '0' }))).toBe('invalid_quantity');
    expect(codeOf(decideInitialPosition(margin(), { ...given, instrument: 'nothing' }))).toBe('unknown_instrument');
  });
});

describe('reservations', () => {
  const ask = {
    orderId: 'a4be2f6d-7f0c-53d1-9f43-5d2c1b0a9e05',
    instrument: SPOT,
    side: 'buy',
    quantity: '3',
    notional: '1000',
    reduceOnly: false,
    timestamp: T0,
  } as const;
  const other = { ...ask, orderId: '7d9a2c0b-6f3e-5b11-8f0a-3a4f5e6d7c04' };

  it('hold room until the order is filled, part by part, and give back the last crumb', () => {
    let state = fold(factsOf(decideReservation(cash(), ask)), cash());
    expect([
      reservedNotional(state),
      reservedNotional(state, PERP),
      reservedQuantity(state, SPOT, 'buy'),
      reservedQuantity(state, SPOT, 'sell'),
    ]).toEqual(['1000', '0', '3', '0']);
    for (const left of ['666.666666666667', '333.333333333333', '0']) {
      state = fold(
        factsOf(decideRelease(state, { orderId: ask.orderId, reason: 'filled', quantity: '1', timestamp: T0 })),
        state,
      );
      expect(reservedNotional(state)).toBe(left);
    }
    expect(state.reservations).toEqual({});
    expect(decideRelease(state, { orderId: ask.orderId, reason: 'cancelled', timestamp: T0 })).toEqual({ events: [] });
  });

  it('end whole with a rejection, cancellation or expiry', () => {
    const state = fold(factsOf(decideReservation(cash(), ask)), cash());
    const facts = factsOf(decideRelease(state, { orderId: ask.orderId, reason: 'expired', timestamp: T0 }));
    expect(facts).toMatchObject([{ data: { quantity: '3', notional: '1000', reason: 'expired' } }]);
    expect(fold(facts, state).reservations).toEqual({});
  });

  it('count in a cash account: two orders cannot spend the same money or sell the same coins', () => {
    expect(codeOf(decideReservation(cash(), { ...ask, notional: '10000.01' }))).toBe('insufficient_cash');
    const first = fold(factsOf(decideReservation(cash(), { ...ask, notional: '6000' })), cash());
    expect(codeOf(decideReservation(first, { ...other, notional: '4000.01' }))).toBe('insufficient_cash');
    expect(codeOf(decideReservation(first, ask))).toBe('duplicate_reservation');
    const holding = bookAll(cash(), [fillOf('buy', '2', '100', { instrument: SPOT, feeAsset: 'USDT' })]);
    const selling = fold(factsOf(decideReservation(holding, { ...ask, side: 'sell', quantity: '1.5' })), holding);
    expect(codeOf(decideReservation(selling, { ...other, side: 'sell', quantity: '0.6' }))).toBe('short_not_allowed');
    expect(codeOf(decideReservation(cash(), { ...ask, quantity: '0' }))).toBe('invalid_quantity');
  });

  it('tell how much an order can still reduce', () => {
    const long = bookAll(margin(), [fillOf('buy', '1', '50000')]);
    expect(reducibleQuantity(long, PERP, 'buy')).toBe('0');
    expect(reducibleQuantity(long, PERP, 'sell')).toBe('1');
    const closing = fold(
      factsOf(decideReservation(long, { ...ask, instrument: PERP, side: 'sell', quantity: '0.4', reduceOnly: true })),
      long,
    );
    expect(reducibleQuantity(closing, PERP, 'sell')).toBe('0.6');
    expect(reservedNotional(closing)).toBe('0');
    expect(reducibleQuantity(margin(), PERP, 'sell')).toBe('0');
    const over = fold(
      factsOf(decideReservation(closing, { ...other, instrument: PERP, side: 'sell', quantity: '2' })),
      closing,
    );
    expect(reducibleQuantity(over, PERP, 'sell')).toBe('0');
  });
});

describe('funding', () => {
  const settlement = {
    token: 'BTC',
    instrument: PERP,
    settlesAt: T0 + HOUR,
    rate: 0.0000125,
    oraclePrice: '100000',
    timestamp: T0 + HOUR,
  };
  const long = () => bookAll(margin(), [fillOf('buy', '0.5', '100000')]);
  const pay = (state: PortfolioState, fields = {}) =>
    factsOf(decideFunding(state, { ...settlement, ...fields }, instrument(PERP)));

  it('is paid by a long when the rate is positive, once for each settlement, from isolated margin too', () => {
    const state = fold(pay(long()), long());
    expect(state).toMatchObject({
      cash: '9999.375',
      funding: '-0.625',
      positions: { [PERP]: { margin: '4999.375', funding: '-0.625' } },
    });
    expect(pay(state)).toEqual([]);
    expect(fold(pay(state, { settlesAt: T0 + 2 * HOUR }), state).funding).toBe('-1.25');
  });

  it('is received by a short', () => {
    const short = bookAll(margin(), [fillOf('sell', '0.5', '100000')]);
    expect(fold(pay(short), short).funding).toBe('0.625');
  });

  it('of an inverse contract is paid in coins', () => {
    const config = opening('margin', INVERSE, { marginMode: 'cross' });
    const state = bookAll(funded(config, '1'), [
      fillOf('buy', '300', '30000', { instrument: INVERSE, feeAsset: 'BTC' }),
    ]);
    const facts = decideFunding(
      state,
      { ...settlement, instrument: INVERSE, oraclePrice: '30000', rate: 0.0001 },
      instrument(INVERSE),
    );
    expect(fold(factsOf(facts), state).funding).toBe('-0.0001');
  });

  it('applies to the position of the settlement instant, whatever came after', () => {
    expect(pay(margin())).toEqual([]);
    const later = bookAll(margin(), [fillOf('buy', '0.5', '100000', { timestamp: T0 + HOUR + 1 })]);
    expect(pay(later)).toEqual([]);
    const flat = bookAll(long(), [fillOf('sell', '0.5', '100000')]);
    const booked = fold(pay(flat, { positionQuantity: '0.5', amount: '-0.6250000000001' }), flat);
    expect(booked).toMatchObject({ funding: '-0.625', positions: {} });
    expect(pay(booked)).toEqual([]);
  });

  it('is refused when nobody knows any more whether it was booked', () => {
    let state = long();
    for (let hour = 1; hour <= 40; hour++) state = fold(pay(state, { settlesAt: T0 + hour * HOUR }), state);
    expect(codeOf(decideFunding(state, { ...settlement, settlesAt: T0 }, instrument(PERP)))).toBe('settlement_too_old');
    expect(pay(state, { settlesAt: T0 + 5 * HOUR })).toEqual([]);
    expect(state.counters.fundings).toBe(40);
  });
});

describe('halts', () => {
  const halt = { source: 'agent/risk', scope: 'portfolio', reason: 'leverage', timestamp: T0 } as const;
  const operator = { ...halt, source: 'operator', scope: 'global', reason: 'maintenance' } as const;

  it('are a set of (source, scope, reason); each source lifts its own, trading needs the set empty', () => {
    let state = fold(factsOf(decideRaiseHalt(margin(), { ...halt, detail: 'too high' })), margin());
    expect(decideRaiseHalt(state, halt)).toEqual({ events: [] });
    state = fold(factsOf(decideRaiseHalt(state, operator)), state);
    expect(decideLiftHalt(state, { ...halt, source: 'operator' })).toEqual({ events: [] });
    state = fold(factsOf(decideLiftHalt(state, halt)), state);
    expect(state.halts).toEqual([{ source: 'operator', scope: 'global', reason: 'maintenance' }]);
    expect(isHalted(state)).toBe(true);
    expect(isHalted(fold(factsOf(decideLiftHalt(state, operator)), state))).toBe(false);
  });
});

describe("a portfolio's books", () => {
  it('take no event of another portfolio, none before they are opened, and are opened once', () => {
    const deposit = {
      type: 'portfolio.deposited',
      data: { portfolio: 'other', amount: '1', asset: 'USDC', timestamp: T0 },
    } as const;
    expect(() => evolvePortfolio(margin(), deposit)).toThrow(IllegalPortfolioEvent);
    expect(() => evolvePortfolio(undefined, deposit)).toThrow(IllegalPortfolioEvent);
    expect(() => evolvePortfolio(margin(), { type: 'portfolio.opened', data: opening('margin', PERP) })).toThrow(
      'open already',
    );
  });

  it('take no release that was not reserved and no second initial position', () => {
    const data = {
      portfolio: 'main',
      order_id: 'x',
      quantity: '1',
      notional: '1',
      reason: 'filled',
      timestamp: T0,
    } as const;
    expect(() => evolvePortfolio(margin(), { type: 'portfolio.reservation_released', data })).toThrow(
      'reserved nothing',
    );
    const reserved = fold(
      [
        {
          type: 'portfolio.reserved',
          data: {
            portfolio: 'main',
            order_id: 'x',
            instrument: PERP,
            side: 'buy',
            quantity: '0.5',
            notional: '1',
            reduceOnly: false,
            timestamp: T0,
          },
        },
      ],
      margin(),
    );
    expect(() => evolvePortfolio(reserved, { type: 'portfolio.reservation_released', data })).toThrow('that much');
    const opened = {
      portfolio: 'main',
      token: 'BTC',
      instrument: PERP,
      side: 'long',
      quantity: '1',
      price: '1',
      timestamp: T0,
    } as const;
    const state = fold([{ type: 'portfolio.position_opened', data: opened }], margin());
    expect(() => evolvePortfolio(state, { type: 'portfolio.position_opened', data: opened })).toThrow('already');
    const strange = { ...opened, instrument: 'nothing' };
    expect(() => evolvePortfolio(state, { type: 'portfolio.position_opened', data: strange })).toThrow('not known');
    const funding = {
      portfolio: 'main',
      token: 'BTC',
      instrument: PERP,
      settlementId: 'no time',
      rate: 0,
      positionQuantity: '1',
      oraclePrice: '1',
      amount: '0',
      timestamp: T0,
    };
    expect(() => evolvePortfolio(state, { type: 'portfolio.funding_booked', data: funding })).toThrow(
      'no settlement id',
    );
  });

  it('are left alone by events about something else', () => {
    const state = margin();
    expect(
      evolvePortfolio(state, { type: 'risk.ok', data: { portfolio: 'other', clears: [], message: '', timestamp: T0 } }),
    ).toBe(state);
    expect(signedQuantity(state, PERP)).toBe('0');
  });

  it('hash the same whenever they were last reconciled, and in whichever order halts came', () => {
    const reconciled = fold(
      [{ type: 'portfolio.reconciled', data: { portfolio: 'main', differences: [], timestamp: T0 + 5 } }],
      margin(),
    );
    expect(reconciled.reconciledAt).toBe(T0 + 5);
    expect(portfolioHashView(reconciled)).toEqual(portfolioHashView(margin()));
    const raise = (reason: string) =>
      ({ type: 'halt.raised', data: { source: 's', scope: 'global', reason, timestamp: T0 } }) as const;
    expect(portfolioHashView(fold([raise('a'), raise('b')], margin()))).toEqual(
      portfolioHashView(fold([raise('b'), raise('a')], margin())),
    );
    const moved = bookAll(margin(), [fillOf('buy', '0.000000000001', '1')]);
    expect(portfolioHashView(moved)).not.toEqual(portfolioHashView(margin()));
  });
});

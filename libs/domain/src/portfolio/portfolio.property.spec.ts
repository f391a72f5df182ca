import fc from 'fast-check';
import { add, neg, sign, sub, type Decimal } from '../money';
import type { Decision, Emission } from '../order';
import { codeOf, factsOf, fillOf, fold, instrument, INVERSE, opening, PERP, SPOT, T0 } from './fixtures/portfolios';
import {
  decideDeposit,
  decideFill,
  decideFunding,
  decideLiquidation,
  decideRaiseHalt,
  decideRelease,
  decideReservation,
  decideWithdrawal,
  evolvePortfolio,
  ledgerImbalance,
  type PortfolioState,
} from '.';

/** Something that may happen to a portfolio; which instrument it is about is for the account under test. */
type Happening =
  | {
      kind: 'fill' | 'liquidation';
      side: 'buy' | 'sell';
      quantity: Decimal;
      price: Decimal;
      fee: Decimal;
      foreignFee: boolean;
    }
  | { kind: 'funding'; rate: number; oraclePrice: Decimal; settlesAt: number }
  | { kind: 'deposit' | 'withdrawal'; amount: Decimal }
  | { kind: 'reserve' | 'release'; order: number; quantity: Decimal }
  | { kind: 'halt'; reason: string };

const decimal = (digits: number, places: number) =>
  fc
    .tuple(fc.integer({ min: 0, max: 10 ** digits }), fc.integer({ min: 1, max: 10 ** places }))
    .map(([whole, fraction]) => `${whole}.${String(fraction).padStart(places + 1, '0')}`);
const side = fc.constantFrom('buy' as const, 'sell' as const);
const ORDERS = ['7d9a2c0b-6f3e-5b11-8f0a-3a4f5e6d7c04', 'a4be2f6d-7f0c-53d1-9f43-5d2c1b0a9e05'];

const happening: fc.Arbitrary<Happening> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constantFrom('fill' as const, 'fill' as const, 'fill' as const, 'liquidation' as const),
      side,
      quantity: fc.oneof(fc.constantFrom('1', '2', '0.5', '3'), decimal(2, 7)),
      price: fc.oneof(fc.constantFrom('100', '33.3'), decimal(5, 5)),
      fee: fc.oneof(
        fc.constant('0'),
        decimal(1, 13),
        decimal(1, 6).map((rebate) => `-${rebate}`),
      ),
      foreignFee: fc.boolean(),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('funding' as const),
      rate: fc.double({ min: -0.01, max: 0.01, noNaN: true }).map((rate) => Number(rate.toPrecision(15))),
      oraclePrice: decimal(5, 6),
      settlesAt: fc.integer({ min: 0, max: 8 }).map((hour) => T0 + hour * 3_600_000),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constantFrom('deposit' as const, 'withdrawal' as const), amount: decimal(5, 14) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constantFrom('reserve' as const, 'release' as const),
      order: fc.nat(1),
      quantity: decimal(1, 5),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('halt' as const), reason: fc.constantFrom('a', 'b') }) },
);

const accounts = [
  ['cash', opening('cash', SPOT)],
  ['cash-short-credit', opening('cash-short-credit', SPOT)],
  ['margin, isolated', opening('margin', PERP, { marginMode: 'isolated', leverage: 7 })],
  ['margin, cross, two places', opening('margin', PERP, { marginMode: 'cross', leverage: 3, ledgerScale: 2 })],
  ['margin, inverse', opening('margin', INVERSE, { marginMode: 'isolated', leverage: 7 })],
] as const;

function decide(state: PortfolioState, what: Happening, at: number): Decision {
  const id = Object.keys(state.config.instruments)[0] as string;
  const terms = instrument(id);
  const timestamp = T0 + at;
  switch (what.kind) {
    case 'fill':
    case 'liquidation': {
      const feeAsset = what.foreignFee ? 'BNB' : state.config.settlementAsset;
      const fill = fillOf(what.side, what.quantity, what.price, { fee: what.fee, feeAsset, instrument: id, timestamp });
      return what.kind === 'fill' ? decideFill(state, fill, terms) : decideLiquidation(state, fill, terms);
    }
    case 'funding':
      return decideFunding(state, { ...what, token: 'BTC', instrument: id, timestamp }, terms);
    case 'deposit':
      return decideDeposit(state, { amount: what.amount, timestamp });
    case 'withdrawal':
      return decideWithdrawal(state, { amount: what.amount, timestamp });
    case 'reserve': {
      const order = {
        orderId: ORDERS[what.order] as string,
        side: 'buy' as const,
        quantity: what.quantity,
        notional: '10',
        reduceOnly: false,
      };
      return decideReservation(state, { ...order, instrument: id, timestamp });
    }
    case 'release':
      return decideRelease(state, {
        orderId: ORDERS[what.order] as string,
        reason: 'filled',
        quantity: what.quantity,
        timestamp,
      });
    case 'halt':
      return decideRaiseHalt(state, { source: 'test', scope: 'portfolio', reason: what.reason, timestamp });
  }
}

/** The whole life of a portfolio as a store keeps it: every event through JSON before it is folded. */
function live(config: ReturnType<typeof opening>, list: readonly Happening[]) {
  const events: Emission[] = [{ type: 'portfolio.opened', data: config }];
  let state = fold(events);
  const deposit = factsOf(decideDeposit(state, { amount: '1000.000000000001', timestamp: T0 }));
  const take = (facts: readonly Emission[]) => {
    const stored = JSON.parse(JSON.stringify(facts)) as Emission[];
    events.push(...stored);
    state = fold(stored, state);
  };
  take(deposit);
  list.forEach((what, index) => {
    const decision = decide(state, what, index);
    if (codeOf(decision) === undefined) take(factsOf(decision));
  });
  return { state, events };
}

const lives = fc.array(happening, { maxLength: 40 });
const sum = (values: readonly Decimal[]) => values.reduce((total, value) => add(total, value), '0');

describe.each(accounts)('a portfolio (%s) under any sequence of fills, fees, funding and flows', (_name, config) => {
  it('conserves cash to the last unit through serialise and fold', () => {
    fc.assert(
      fc.property(lives, (list) => {
        const { state, events } = live(config, list);
        expect(ledgerImbalance(state)).toBe('0');

        const fills = events.flatMap((event) => (event.type === 'portfolio.fill_booked' ? [event.data] : []));
        const own = fills.filter(({ feeAsset }) => feeAsset === config.settlementAsset);
        const funding = events.flatMap((event) =>
          event.type === 'portfolio.funding_booked' ? [event.data.amount] : [],
        );
        const flows = events.map((event) => {
          if (event.type === 'portfolio.deposited') return event.data.amount;
          return event.type === 'portfolio.withdrawn' ? neg(event.data.amount) : '0';
        });
        expect(state.cash).toBe(sum([...flows, ...funding, ...fills.map(({ cashDelta }) => cashDelta)]));
        expect(state.fees).toBe(sum(own.map(({ fee }) => fee)));
        expect(state.funding).toBe(sum(funding));
        expect(state.realisedPnl).toBe(sum(fills.map(({ realisedPnl }) => realisedPnl)));
        expect(sum(Object.values(state.foreignFees))).toBe(
          sum(fills.map(({ fee }) => fee).concat(own.map(({ fee }) => neg(fee)))),
        );
      }),
      { numRuns: 200 },
    );
  });

  it('holds what was bought less what was sold, and no cost without a position', () => {
    fc.assert(
      fc.property(lives, (list) => {
        const { state, events } = live(config, list);
        const fills = events.flatMap((event) => (event.type === 'portfolio.fill_booked' ? [event.data] : []));
        const traded = sum(fills.map(({ side: way, quantity }) => (way === 'buy' ? quantity : neg(quantity))));
        const [position, ...others] = Object.values(state.positions);
        expect(others).toEqual([]);
        expect(position?.quantity ?? '0').toBe(traded);
        expect(position?.costBasis ?? '0').toBe(sum(fills.map(({ costBasisDelta }) => costBasisDelta)));
        if (position !== undefined) expect(sign(position.quantity)).not.toBe(0);
      }),
      { numRuns: 200 },
    );
  });

  it('tells of each closed position what it earned: together, and with the open one, it is all that was earned', () => {
    fc.assert(
      fc.property(lives, (list) => {
        const { state, events } = live(config, list);
        const closed = events.flatMap((event) => (event.type === 'position.closed' ? [event.data] : []));
        const open = Object.values(state.positions);
        const { counters } = state;
        expect(sum([...closed, ...open].map(({ realisedPnl }) => realisedPnl))).toBe(state.realisedPnl);
        expect(sum([...closed, ...open].map(({ fees }) => fees))).toBe(state.fees);
        expect(counters.closedPositions).toBe(closed.length);
        expect(counters.winners + counters.losers).toBeLessThanOrEqual(closed.length);
      }),
      { numRuns: 200 },
    );
  });

  it('[EVS-6] is rebuilt from its stream, and from any snapshot and the rest of it, to the same bytes', () => {
    fc.assert(
      fc.property(lives, fc.nat(), (list, at) => {
        const { state, events } = live(config, list);
        expect(JSON.stringify(fold(events))).toBe(JSON.stringify(state));
        const cut = 1 + (at % events.length);
        const snapshot = JSON.parse(JSON.stringify(fold(events.slice(0, cut)))) as PortfolioState;
        const resumed = events
          .slice(cut)
          .reduce<PortfolioState>((books, event) => evolvePortfolio(books, event), snapshot);
        expect(JSON.stringify(resumed)).toBe(JSON.stringify(state));
      }),
      { numRuns: 100 },
    );
  });

  it('never releases more room than was reserved', () => {
    fc.assert(
      fc.property(lives, (list) => {
        const { state, events } = live(config, list);
        for (const orderId of ORDERS) {
          const reserved = events.flatMap((event) =>
            event.type === 'portfolio.reserved' && event.data.order_id === orderId ? [event.data] : [],
          );
          const released = events.flatMap((event) =>
            event.type === 'portfolio.reservation_released' && event.data.order_id === orderId ? [event.data] : [],
          );
          const left = state.reservations[orderId];
          expect(left?.quantity ?? '0').toBe(
            sub(sum(reserved.map(({ quantity }) => quantity)), sum(released.map(({ quantity }) => quantity))),
          );
          expect(left?.notional ?? '0').toBe(
            sub(sum(reserved.map(({ notional }) => notional)), sum(released.map(({ notional }) => notional))),
          );
        }
      }),
      { numRuns: 100 },
    );
  });
});

import fc from 'fast-check';
import { initialMarginRate, maintenance, type Instrument } from '../instruments';
import { fromNumber, toNumber } from '../money';
import {
  bookAll,
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
  createValuationTracker,
  decideDeposit,
  decideWithdrawal,
  LEVERAGE_WITHOUT_EQUITY,
  liquidationPrice,
  RISK_SCORE_BOUNDS,
  riskScore,
  valuation,
  type PortfolioState,
} from '.';

const ETH = 'ETH.HYPERLIQUID';
const SOL = 'SOL.HYPERLIQUID';
const DAY = 86_400_000;
const margin = (marginMode: 'isolated' | 'cross', amount = '10000', leverage = 10) =>
  funded(opening('margin', PERP, { marginMode, leverage, more: [ETH, SOL] }), amount);
const at = (state: PortfolioState, prices: Record<string, number>, now = T0) => valuation(state, prices, now, null);

describe('liquidation price', () => {
  const btc = instrument(PERP);

  it.each([
    ['isolated', 1, '91139.2405'],
    ['isolated', -1, '108641.9753'],
    ['cross', 1, '91139.2405'],
    ['cross', -1, '108641.9753'],
  ] as const)('%s, %d BTC at 100,000, 10x of max 40x', (mode, quantity, expected) => {
    expect(liquidationPrice({ quantity, entryPrice: 100_000, margin: 10_000 }, btc)?.toFixed(4)).toBe(expected);
    const state = bookAll(margin(mode), [fillOf(quantity > 0 ? 'buy' : 'sell', '1', '100000')]);
    expect(at(state, { [PERP]: 100_000 }).positions[0]?.liquidationPrice?.toFixed(4)).toBe(expected);
  });

  it("is that of the sample account in HyperLiquid's documentation", () => {
    const eth: Instrument = {
      ...instrument(ETH),
      maxLeverage: 50,
      marginTiers: [{ lowerBound: '0', maxLeverage: 50 }],
    };
    const price = liquidationPrice({ quantity: 0.0335, entryPrice: 95.059824 / 0.0335, margin: 0 }, eth);
    expect(price).toBeCloseTo(2866.26936529, 4);
    const marked = liquidationPrice({ quantity: 0.0335, entryPrice: 2985.9, margin: 4.967826 }, eth);
    expect(marked?.toFixed(5)).toBe('2866.26938');
  });

  it('is none when no positive price liquidates', () => {
    expect(liquidationPrice({ quantity: 1, entryPrice: 100, margin: 100 }, btc)).toBeNull();
    expect(liquidationPrice({ quantity: -1, entryPrice: 100, margin: 1e9 }, btc)).not.toBeNull();
    const inverse = instrument(INVERSE);
    expect(liquidationPrice({ quantity: -100, entryPrice: 50_000, margin: 0.2 }, inverse)).toBeNull();
    expect(liquidationPrice({ quantity: 1, entryPrice: 100, margin: 10 }, instrument(SPOT))).toBeNull();
  });

  it('is where equity meets maintenance, in every tier, for either side, isolated or inverse', () => {
    const sides = fc.constantFrom(1, -1);
    const terms = fc.record({
      side: sides,
      size: fc.double({ min: 0.001, max: 20_000, noNaN: true }),
      entry: fc.integer({ min: 1_000, max: 200_000 }),
      leverage: fc.integer({ min: 2, max: 20 }),
      id: fc.constantFrom(PERP, SOL, INVERSE),
    });
    fc.assert(
      fc.property(terms, ({ side, size, entry, leverage, id }) => {
        const contract = instrument(id);
        const inverse = contract.kind === 'inverse';
        const units = size * toNumber(contract.multiplier);
        const value = (price: number) => (inverse ? units / price : units * price);
        const margin = value(entry) / leverage;
        const price = liquidationPrice({ quantity: side * size, entryPrice: entry, margin }, contract);
        if (price === null) return;
        const profit = inverse ? side * (value(entry) - value(price)) : side * (value(price) - value(entry));
        const needed = toNumber(maintenance(contract, fromNumber(value(price))).amount);
        expect(Math.abs(margin + profit - needed)).toBeLessThan(1e-6 * value(entry));
        const safer = liquidationPrice({ quantity: side * size, entryPrice: entry, margin: margin * 1.01 }, contract);
        if (safer !== null) expect(side * (price - safer)).toBeGreaterThan(0);
      }),
      { numRuns: 500 },
    );
    expect(initialMarginRate(btc, 10)).toBe('0.1');
  });
});

describe('valuation', () => {
  it('of a cash account is cash and what the positions are worth', () => {
    const state = bookAll(funded(opening('cash', SPOT), '10000'), [
      fillOf('buy', '0.2', '20000', { instrument: SPOT, feeAsset: 'USDT' }),
    ]);
    expect(at(state, { [SPOT]: 25_000 })).toMatchObject({
      cash: 6000,
      equity: 11_000,
      unrealisedPnl: 1000,
      grossExposure: 5000,
      marginUsed: 0,
      availableMargin: 6000,
      positions: [{ liquidationPrice: null, distance: null, averagePrice: 20_000 }],
      unpriced: [],
    });
  });

  it('of a credited short counts the debt of coins', () => {
    const state = bookAll(funded(opening('cash-short-credit', SPOT), '1000000'), [
      fillOf('sell', '1', '46783.91', { instrument: SPOT, feeAsset: 'USDT' }),
    ]);
    const value = at(state, { [SPOT]: 46_821.75 });
    expect(value.equity).toBeCloseTo(999_962.16, 6);
    expect(value).toMatchObject({ netExposure: -46_821.75, positions: [{ liquidationPrice: null }] });
  });

  it('of isolated positions judges each by its own margin', () => {
    const state = bookAll(margin('isolated', '100000'), [
      fillOf('buy', '1', '100000'),
      fillOf('sell', '10', '4000', { instrument: ETH, token: 'ETH' }),
    ]);
    const value = at(state, { [PERP]: 110_000, [ETH]: 4100 });
    expect(value).toMatchObject({
      cash: 100_000,
      equity: 109_000,
      unrealisedPnl: 9000,
      grossExposure: 151_000,
      netExposure: 69_000,
      marginUsed: 14_000,
      availableMargin: 86_000,
    });
    const [btc, eth] = value.positions;
    expect(btc?.liquidationPrice?.toFixed(4)).toBe('91139.2405');
    expect(btc?.distance).toBeCloseTo((110_000 - 91_139.2405) / 110_000, 8);
    expect(eth).toMatchObject({ exposure: 41_000, margin: 4000, quantity: -10 });
    expect(eth?.liquidationPrice).toBeCloseTo(44_000 / (10 * (1 + 1 / 50)), 8);
  });

  it('of cross positions lets one carry the other', () => {
    const alone = bookAll(margin('cross'), [fillOf('buy', '1', '100000')]);
    const carried = bookAll(alone, [fillOf('buy', '1', '3000', { instrument: ETH, token: 'ETH' })]);
    const prices = { [PERP]: 100_000, [ETH]: 6000 };
    const [first] = at(alone, prices).positions;
    const value = at(carried, prices);
    expect(value.positions[0]?.liquidationPrice).toBeLessThan(first?.liquidationPrice ?? 0);
    expect(value.positions[0]?.liquidationPrice).toBeCloseTo((100_000 - 13_000 + 120) / (1 - 0.0125), 6);
    expect(value.marginUsed).toBeCloseTo(10_600, 9);
  });

  it('of an inverse contract is in coins', () => {
    const config = opening('margin', INVERSE, { marginMode: 'isolated', leverage: 5 });
    const state = bookAll(funded(config, '1'), [
      fillOf('buy', '100', '50000', { instrument: INVERSE, feeAsset: 'BTC' }),
    ]);
    const value = at(state, { [INVERSE]: 40_000 });
    expect(value.equity).toBeCloseTo(0.95, 12);
    expect(value).toMatchObject({
      grossExposure: 0.25,
      netExposure: 0.25,
      positions: [{ averagePrice: 50_000, exposure: 0.25 }],
    });
  });

  it('says a distance of 0 once the mark is past the liquidation price', () => {
    const long = bookAll(margin('isolated'), [fillOf('buy', '1', '100000')]);
    expect(at(long, { [PERP]: 91_000 }).positions[0]).toMatchObject({ distance: 0 });
    expect(at(long, { [PERP]: 80_000 }).riskScore).toBe(100);
    const short = bookAll(margin('isolated'), [fillOf('sell', '1', '100000')]);
    expect(at(short, { [PERP]: 120_000 }).positions[0]).toMatchObject({ distance: 0 });
    const ruined = fold(
      [
        {
          type: 'portfolio.funding_booked',
          data: {
            portfolio: 'main',
            token: 'BTC',
            instrument: PERP,
            settlementId: `${PERP}@1`,
            rate: 1,
            positionQuantity: '-1',
            oraclePrice: '1',
            amount: '-300000',
            timestamp: T0,
          },
        },
      ],
      short,
    );
    expect(at(ruined, { [PERP]: 100_000 })).toMatchObject({
      leverage: LEVERAGE_WITHOUT_EQUITY,
      riskScore: 100,
      positions: [{ distance: 0, liquidationPrice: 100_000 }],
    });
  });

  it('values at cost, and names, what has no price', () => {
    const state = bookAll(margin('cross'), [fillOf('buy', '1', '100000')]);
    expect(at(state, {})).toMatchObject({
      unpriced: [PERP],
      equity: 10_000,
      positions: [{ mark: 100_000, unrealisedPnl: 0 }],
    });
    expect(at(state, { [PERP]: 0 }).unpriced).toEqual([PERP]);
    expect(() => valuation(state, {}, T0, null, () => undefined)).toThrow(PERP);
  });

  it('is the same when a store has changed the order of keys', () => {
    const fills = [
      fillOf('buy', '0.1', '99999.7'),
      fillOf('sell', '0.7', '4001.3', { instrument: ETH }),
      fillOf('buy', '3.3', '201.9', { instrument: SOL }),
    ];
    const state = bookAll(margin('cross'), fills);
    const turned = { ...state, positions: Object.fromEntries(Object.entries(state.positions).reverse()) };
    const prices = { [PERP]: 100_000.1, [ETH]: 3999.9, [SOL]: 200.3 };
    expect(JSON.stringify(at(turned, prices))).toBe(JSON.stringify(at(state, prices)));
  });
});

describe('drawdown and the profit of the day', () => {
  const midnight = Math.floor(T0 / DAY) * DAY;
  const flow = (state: PortfolioState, amount: number, price: number) => {
    const value = at(state, { [PERP]: price });
    const terms = { amount: String(Math.abs(amount)), timestamp: T0 };
    return fold(factsOf(amount > 0 ? decideDeposit(state, terms) : decideWithdrawal(state, terms, value)), state);
  };

  it('follow equity: peak, day and the worth of each position', () => {
    const tracker = createValuationTracker();
    const state = bookAll(margin('cross'), [fillOf('buy', '0.1', '100000')]);
    const value = (price: number, now: number) => valuation(state, { [PERP]: price }, now, tracker);
    expect(value(100_000, midnight + 1)).toMatchObject({ equity: 10_000, drawdown: 0, dailyPnl: 0, leverage: 1 });
    expect(value(120_000, midnight + 2)).toMatchObject({ equity: 12_000, drawdown: 0, dailyPnl: 2000 });
    expect(value(90_000, midnight + 3)).toMatchObject({
      equity: 9000,
      drawdown: 0.25,
      dayDrawdown: 0.25,
      dailyPnl: -1000,
    });
    expect(value(96_000, midnight + DAY)).toMatchObject({ drawdown: 0.2, dayDrawdown: 0, dailyPnl: 600 });
    expect(value(90_000, midnight + DAY + 1)).toMatchObject({ dailyPnl: 0, dayDrawdown: expect.closeTo(0.0625, 10) });
  });

  it('count from what was paid in, also when the first mark comes late', () => {
    const state = bookAll(margin('cross'), [fillOf('buy', '0.1', '100000')]);
    expect(valuation(state, { [PERP]: 80_000 }, T0, createValuationTracker())).toMatchObject({
      drawdown: 0.2,
      dailyPnl: -2000,
    });
  });

  it('are no better for a deposit and no worse for a withdrawal', () => {
    const tracker = createValuationTracker();
    let state = bookAll(margin('cross'), [fillOf('buy', '0.1', '100000')]);
    valuation(state, { [PERP]: 100_000 }, midnight, tracker);
    valuation(state, { [PERP]: 80_000 }, midnight + 1, tracker);
    for (const amount of [40_000, -44_000, 1000]) {
      state = flow(state, amount, 80_000);
      const value = valuation(state, { [PERP]: 80_000 }, midnight + 2, tracker);
      expect(value.drawdown).toBeCloseTo(0.2, 12);
      expect(value.dayDrawdown).toBeCloseTo(0.2, 12);
      expect(value.dailyPnl).toBeCloseTo(-2000, 9);
    }
  });

  it('start anew with the first money in an empty account', () => {
    const tracker = createValuationTracker();
    const empty = fold([{ type: 'portfolio.opened', data: opening('margin', PERP) }]);
    expect(valuation(empty, {}, T0, tracker)).toMatchObject({ equity: 0, drawdown: 0, leverage: 0, riskScore: 0 });
    expect(valuation(flow(empty, 500, 1), {}, T0, tracker)).toMatchObject({ equity: 500, drawdown: 0, dailyPnl: 0 });
    expect(JSON.parse(JSON.stringify(tracker))).toEqual(tracker);
  });
});

describe('risk score', () => {
  const calm = { leverage: 0, nearestDistance: null, drawdown: 0, concentration: 1 };

  it('is 0 without risk and 100 at the critical distance', () => {
    expect(riskScore(calm)).toBe(0);
    expect(riskScore({ ...calm, nearestDistance: RISK_SCORE_BOUNDS.criticalDistance })).toBe(100);
    expect(riskScore({ ...calm, leverage: 10, drawdown: 0.25 })).toBe(84);
  });

  it('rises with every factor and stays within 0 and 100', () => {
    const factor = fc.double({ min: 0, max: 30, noNaN: true });
    fc.assert(
      fc.property(
        factor,
        factor,
        factor,
        factor,
        fc.double({ min: 0, max: 1, noNaN: true }),
        (leverage, distance, drawdown, concentration, more) => {
          const factors = { leverage, nearestDistance: distance, drawdown, concentration };
          const score = riskScore(factors);
          expect(score).toBeGreaterThanOrEqual(0);
          expect(score).toBeLessThanOrEqual(100);
          expect(riskScore({ ...factors, leverage: leverage + more })).toBeGreaterThanOrEqual(score);
          expect(riskScore({ ...factors, drawdown: drawdown + more })).toBeGreaterThanOrEqual(score);
          expect(riskScore({ ...factors, nearestDistance: distance + more })).toBeLessThanOrEqual(score);
        },
      ),
    );
  });
});

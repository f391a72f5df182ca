import {
  book,
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
import { averagePrice, decideFill, decideLiquidation, ledgerImbalance, projectFill, type PortfolioState } from '.';

const cash = (amount = '100000') => funded(opening('cash', SPOT), amount);
const credit = (amount = '1000000') => funded(opening('cash-short-credit', SPOT), amount);
const margin = (marginMode: 'isolated' | 'cross', leverage = 10) =>
  funded(opening('margin', PERP, { marginMode, leverage }), '100000');
const spot = { instrument: SPOT, feeAsset: 'USDT' };

function position(state: PortfolioState, id = PERP) {
  const held = state.positions[id];
  if (held === undefined) throw new Error(`no position in ${id}`);
  return held;
}

describe('fills in a cash account', () => {
  it('pay for what is bought and are paid for what is sold', () => {
    const bought = bookAll(cash(), [
      fillOf('buy', '1', '20000', { ...spot, fee: '10' }),
      fillOf('buy', '1', '22000', { ...spot, fee: '11' }),
    ]);
    expect(bought).toMatchObject({ cash: '57979', fees: '21', realisedPnl: '0' });
    expect(position(bought, SPOT)).toMatchObject({ quantity: '2', costBasis: '42000', margin: '0' });
    expect(averagePrice(position(bought, SPOT), instrument(SPOT))).toBe('21000');
    const sold = bookAll(bought, [fillOf('sell', '0.5', '30000', { ...spot, fee: '7.5' })]);
    expect(sold).toMatchObject({ cash: '72971.5', realisedPnl: '4500', fees: '28.5' });
    expect(position(sold, SPOT)).toMatchObject({ quantity: '1.5', costBasis: '31500', closedQuantity: '0.5' });
  });

  it('leave no crumb of the cost: the last part takes the rest', () => {
    const thirds = bookAll(cash(), [
      fillOf('buy', '3', '33.333333333333', spot),
      fillOf('sell', '1', '40', spot),
      fillOf('sell', '1', '40', spot),
    ]);
    expect(position(thirds, SPOT).costBasis).toBe('33.333333333333');
    const odd = bookAll(cash(), [
      fillOf('buy', '0.7', '0.000000000011', spot),
      fillOf('sell', '0.3', '1', spot),
      fillOf('sell', '0.4', '1', spot),
    ]);
    expect(odd.positions).toEqual({});
    expect(ledgerImbalance(odd)).toBe('0');
  });

  it('are booked when they break the account model, and say so', () => {
    const short = decideFill(cash(), fillOf('sell', '1', '20000', spot), instrument(SPOT));
    expect(short).toMatchObject({
      events: [{ type: 'portfolio.fill_booked' }],
      anomaly: { code: 'short_in_cash_account' },
    });
    const debt = decideFill(cash('100'), fillOf('buy', '1', '101', spot), instrument(SPOT));
    expect(debt).toMatchObject({ anomaly: { code: 'debt_in_cash_account', details: { cash: '-1' } } });
  });

  it('keep fees in another asset apart from the cash', () => {
    const state = bookAll(cash(), [
      fillOf('buy', '1', '20000', { ...spot, fee: '0.03', feeAsset: 'BNB' }),
      fillOf('buy', '1', '20000', { ...spot, fee: '0.02', feeAsset: 'BNB' }),
    ]);
    expect(state).toMatchObject({ cash: '60000', fees: '0', foreignFees: { BNB: '0.05' } });
    expect(ledgerImbalance(state)).toBe('0');
  });
});

describe('fills in an account that credits short sales', () => {
  it('flip by closing the old position and opening the new one at its own cost, the fee split by quantity', () => {
    const short = book(credit(), fillOf('sell', '1', '46783.91', { ...spot, fee: '23.391955' }));
    expect(short.state).toMatchObject({ cash: '1046760.518045' });
    expect(position(short.state, SPOT)).toMatchObject({ quantity: '-1', costBasis: '-46783.91' });
    const flip = book(short.state, fillOf('buy', '2', '46821.75', { ...spot, fee: '46.82175' }));
    expect(flip.state).toMatchObject({ cash: '953070.196295', realisedPnl: '-37.84', fees: '70.213705' });
    expect(position(flip.state, SPOT)).toMatchObject({
      quantity: '1',
      costBasis: '46821.75',
      fees: '23.410875',
      realisedPnl: '0',
    });
    expect(flip.facts[1]).toMatchObject({
      type: 'position.closed',
      data: {
        side: 'short',
        quantity: '1',
        realisedPnl: '-37.84',
        fees: '46.80283',
        pnl_usd: -37.84,
        exit_price: 46821.75,
        duration_seconds: 0.001,
      },
    });
    expect(flip.state.counters).toMatchObject({ fills: 2, closedPositions: 1, losers: 1, winners: 0 });
  });

  it('may owe more than there is: there is no leverage limit', () => {
    const decision = decideFill(credit('100'), fillOf('buy', '1', '20000', spot), instrument(SPOT));
    expect(decision).not.toHaveProperty('anomaly');
    expect(fold(factsOf(decision), credit('100')).cash).toBe('-19900');
  });
});

describe('fills in a margin account', () => {
  it('move the wallet by profit and fee only', () => {
    const open = bookAll(margin('cross'), [fillOf('sell', '2', '50000', { fee: '45' })]);
    expect(open).toMatchObject({ cash: '99955', realisedPnl: '0' });
    const closed = book(open, fillOf('buy', '2', '49000', { fee: '44.1' }));
    expect(closed.state).toMatchObject({ cash: '101910.9', realisedPnl: '2000', fees: '89.1', positions: {} });
    expect(closed.state.counters).toMatchObject({ closedPositions: 1, winners: 1 });
    expect(closed.facts.map(({ type }) => type)).toEqual(['portfolio.fill_booked', 'position.closed']);
  });

  it('set isolated margin aside by leverage, and free it by quantity', () => {
    const open = bookAll(margin('isolated'), [fillOf('buy', '1', '50000'), fillOf('buy', '1', '60000')]);
    expect(position(open)).toMatchObject({ margin: '11000', leverage: 10, costBasis: '110000' });
    const part = bookAll(open, [fillOf('sell', '0.5', '60000')]);
    expect(position(part)).toMatchObject({ margin: '8250', quantity: '1.5', costBasis: '82500', realisedPnl: '2500' });
    const flipped = bookAll(part, [fillOf('sell', '2', '60000')]);
    expect(position(flipped)).toMatchObject({
      margin: '3000',
      quantity: '-0.5',
      costBasis: '-30000',
      realisedPnl: '0',
    });
    expect(flipped.cash).toBe('110000');
  });

  it('settle an inverse contract in its coin', () => {
    const config = opening('margin', INVERSE, { marginMode: 'isolated', leverage: 10 });
    const terms = { instrument: INVERSE, feeAsset: 'BTC' };
    const open = bookAll(funded(config, '1'), [fillOf('buy', '100', '50000', { ...terms, fee: '0.0001' })]);
    expect(position(open, INVERSE)).toMatchObject({ quantity: '100', costBasis: '-0.2', margin: '0.02' });
    expect(averagePrice(position(open, INVERSE), instrument(INVERSE))).toBe('50000');
    const closed = book(open, fillOf('sell', '100', '40000', terms));
    expect(closed.state).toMatchObject({ cash: '0.9499', realisedPnl: '-0.05', positions: {} });
    expect(closed.facts[1]).toMatchObject({ data: { realisedPnl: '-0.05', pnl_usd: -2000, side: 'long' } });
    expect(ledgerImbalance(closed.state)).toBe('0');
  });

  it('round a fee and a profit once, half-even, to the ledger scale', () => {
    const config = opening('margin', PERP, { marginMode: 'cross', ledgerScale: 2 });
    const state = bookAll(funded(config, '1000'), [
      fillOf('buy', '0.1', '100.05', { fee: '0.125' }),
      fillOf('sell', '0.1', '100.25', { fee: '0.135' }),
    ]);
    expect(state).toMatchObject({ fees: '0.26', realisedPnl: '0.02', cash: '999.76' });
  });

  it('are refused when booked by the rules of another instrument', () => {
    expect(codeOf(decideFill(margin('cross'), fillOf('buy', '1', '1'), instrument(SPOT)))).toBe('wrong_instrument');
  });
});

describe('a liquidation', () => {
  const open = () => bookAll(margin('isolated'), [fillOf('buy', '1', '100000')]);

  it('is a fill that the venue made, told apart', () => {
    const facts = factsOf(decideLiquidation(open(), fillOf('sell', '1', '91139.2', { fee: '41' }), instrument(PERP)));
    expect(facts.map(({ type }) => type)).toEqual(['portfolio.liquidated', 'portfolio.fill_booked', 'position.closed']);
    const state = fold(facts, open());
    expect(state).toMatchObject({ cash: '91098.2', positions: {}, counters: { liquidations: 1, fills: 2, losers: 1 } });
  });

  it('of a part leaves the rest', () => {
    const state = fold(factsOf(decideLiquidation(open(), fillOf('sell', '0.2', '91139.2'), instrument(PERP))), open());
    expect(position(state)).toMatchObject({ quantity: '0.8', margin: '8000' });
  });

  it('of more than is held, or of the wrong side, is refused', () => {
    expect(codeOf(decideLiquidation(open(), fillOf('sell', '1.1', '91139.2'), instrument(PERP)))).toBe(
      'liquidation_exceeds_position',
    );
    expect(codeOf(decideLiquidation(open(), fillOf('buy', '1', '91139.2'), instrument(PERP)))).toBe(
      'liquidation_exceeds_position',
    );
    expect(codeOf(decideLiquidation(margin('cross'), fillOf('sell', '1', '1'), instrument(PERP)))).toBe(
      'liquidation_exceeds_position',
    );
  });
});

describe('a projected fill', () => {
  it('shows the books as they would be and leaves the real ones alone', () => {
    const state = margin('isolated');
    const projected = projectFill(
      state,
      { side: 'buy', quantity: '1', price: '50000', timestamp: T0 },
      instrument(PERP),
    );
    expect(position(projected)).toMatchObject({ quantity: '1', margin: '5000' });
    expect(state.positions).toEqual({});
  });
});

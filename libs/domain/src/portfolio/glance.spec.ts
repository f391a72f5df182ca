import { bookAll, fillOf, funded, opening, PERP, SPOT, T0 } from './fixtures/portfolios';
import { createValuationTracker, glance, valuation, type Figures, type PortfolioState } from '.';

const MINUTE = 60_000;
const held = {
  cash: bookAll(funded(opening('cash', SPOT), '100000'), [fillOf('buy', '1', '40000', { instrument: SPOT })]),
  isolated: bookAll(funded(opening('margin', PERP, { marginMode: 'isolated', leverage: 10 }), '20000'), [
    fillOf('sell', '1', '50000'),
  ]),
  cross: bookAll(funded(opening('margin', PERP, { marginMode: 'cross', leverage: 10 }), '20000'), [
    fillOf('buy', '1', '50000'),
  ]),
} as const;

const FIELDS = ['equity', 'grossExposure', 'leverage', 'drawdown', 'dayDrawdown', 'availableMargin'] as const;
const figuresOf = (value: Figures) => Object.fromEntries(FIELDS.map((field) => [field, value[field]]));

describe('[RSK-1] a glance at a portfolio', () => {
  it.each(['cash', 'isolated', 'cross'] as const)('%s: has the figures of its valuation at every price', (model) => {
    const [one, other] = [createValuationTracker(), createValuationTracker()];
    [45_000, 52_000, 41_000, 48_000].forEach((price, index) => {
      const prices = { [PERP]: price, [SPOT]: price };
      const full = valuation(held[model], prices, T0 + index * MINUTE, one);
      const seen = glance(held[model], prices, T0 + index * MINUTE, other, true);
      expect(figuresOf(seen)).toEqual(figuresOf(full));
      expect(seen.positions).toEqual(full.positions);
    });
    expect(other).toEqual(one);
  });

  it('leaves out only positions that nothing can liquidate, and has them again when they are asked for', () => {
    const positions = (state: PortfolioState, withPositions: boolean) =>
      glance(state, { [PERP]: 45_000, [SPOT]: 45_000 }, T0, null, withPositions).positions.map(
        ({ instrument }) => instrument,
      );
    expect(positions(held.cash, true)).toEqual([SPOT]);
    expect(positions(held.cash, false)).toEqual([]);
    expect(positions(held.cross, false)).toEqual([PERP]);
    expect(positions(held.cash, false)).toEqual([]);
    expect(positions(held.isolated, true)).toEqual([PERP]);
  });

  it('values at cost what has no price', () => {
    const { equity } = glance(held.cash, {}, T0, null, false);
    expect(equity).toBe(valuation(held.cash, {}, T0, null).equity);
  });
});

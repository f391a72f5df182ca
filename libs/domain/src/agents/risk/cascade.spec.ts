import type { EmitData } from '@moon/events';
import { testEvent } from '../../handler';
import { BTC, Scene, T0 } from './fixtures/scene';

const CALM = { limits: { max_leverage: 100, drawdown_total: 1, drawdown_day: 1 } };

function liquidations(t: number, over: Partial<EmitData<'liquidation.event'>> = {}) {
  const at = T0 + t * 1_000;
  return testEvent('liquidation.event', at, {
    token: 'BTC',
    liquidation_count: 150,
    cascade_indicator: true,
    timestamp: at,
    longNotional: 25_000_000,
    shortNotional: 0,
    windowMs: 60_000,
    ...over,
  });
}

/** Long 2 BTC at 50,000 with an equity of 50,000. */
const long = () => new Scene(CALM, '50000').holds('2', '50000', BTC, '40000').tick(0, 50_000);

describe('[RSK-3] liquidation cascades', () => {
  it('reports the loss to be expected and the reduction that brings it to the threshold', () => {
    const driven = long().add(liquidations(1)).play();
    // 100,000 ÷ 50,000 × 10 % × 25 M ÷ (25 M + 25 M) = 10 % of the equity.
    expect(driven.of('risk.cascade_detected')).toEqual([
      expect.objectContaining({
        token: 'BTC',
        impact: 0.1,
        threshold: 0.05,
        recommendedReduction: 0.5,
        liquidationCount: 150,
      }),
    ]);
  });

  it.each([
    ['what is liquidated helps', { longNotional: 0, shortNotional: 25_000_000 }],
    ['the normaliser sees no cascade', { cascade_indicator: false }],
    ['it is about another token', { token: 'ETH' }],
    ['it is small', { longNotional: 1_000_000 }],
  ])('says nothing when %s', (_why, over) => {
    expect(long().add(liquidations(1, over)).play().of('risk.cascade_detected')).toEqual([]);
  });

  it('a short is hurt by liquidated shorts', () => {
    const scene = new Scene(CALM, '50000').holds('-2', '50000', BTC, '40000').tick(0, 50_000);
    scene.add(liquidations(1, { longNotional: 0, shortNotional: 25_000_000 }));
    expect(scene.play().of('risk.cascade_detected')).toHaveLength(1);
  });

  it('goes on watching: once per cascade, and again when it has become much worse', () => {
    const scene = long();
    for (let t = 1; t < 30; t++) scene.add(liquidations(t));
    scene.add(liquidations(30, { longNotional: 100_000_000 }));
    const driven = scene.play();
    expect(driven.of('risk.cascade_detected').map(({ timestamp }) => (timestamp - T0) / 1_000)).toEqual([1, 30]);
    scene.add(liquidations(31, { longNotional: 0 })).add(liquidations(40));
    expect(scene.play().of('risk.cascade_detected')).toHaveLength(3);
  });

  it('a cascade after a quiet window is a new one', () => {
    const driven = long().add(liquidations(1)).add(liquidations(50)).add(liquidations(120)).play();
    expect(driven.of('risk.cascade_detected').map(({ timestamp }) => (timestamp - T0) / 1_000)).toEqual([1, 120]);
  });
});

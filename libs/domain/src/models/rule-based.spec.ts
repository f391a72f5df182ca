import fc from 'fast-check';
import { parseAnswer } from '../agents/trading/answer';
import { ruleBasedModel } from './rule-based';

const price = 50_000;
const sigma = 50;
/** A market at rest; distances are in σ. */
function features(
  change: { trend?: number; histogram?: number; rsi?: number; z?: number } = {},
): Record<string, number> {
  const { trend = 0, histogram = 0, rsi = 50, z = 0 } = change;
  return {
    close: price + z * sigma,
    smaFast: price,
    smaSlow: price - trend * sigma,
    rsi,
    macdHistogram: histogram * sigma,
    bollingerMiddle: price,
    sigma,
  };
}

function opinion(given: Record<string, number | string>) {
  const parsed = parseAnswer(ruleBasedModel({ features: given }));
  if (!parsed.ok) throw new Error(parsed.detail);
  return parsed.view;
}

describe('the rule-based model', () => {
  it('given a clear trend with momentum, then it takes its side with high score and confidence', () => {
    const up = opinion(features({ trend: 4, histogram: 0.3, rsi: 75, z: 1.5 }));
    expect(up).toMatchObject({ action: 'BUY' });
    expect(up.score).toBeGreaterThan(85);
    expect(up.confidence).toBeGreaterThan(0.75);
    expect(opinion(features({ trend: -4, histogram: -0.3, rsi: 25, z: -1.5 }))).toMatchObject({
      action: 'SELL',
      score: up.score,
      confidence: up.confidence,
    });
  });

  it('given nothing happens, then it holds with so little confidence that it dilutes nobody much', () => {
    expect(opinion(features())).toMatchObject({ action: 'HOLD', score: 50, confidence: 0.1 });
  });

  it('given a stretched price without a trend, then it expects the way back', () => {
    expect(opinion(features({ z: 3.2 }))).toMatchObject({ action: 'SELL' });
    expect(opinion(features({ z: -3.2 }))).toMatchObject({ action: 'BUY' });
  });

  it('given a stretched price along a strong trend, then it does not fade it', () => {
    expect(opinion(features({ trend: 4, histogram: 0.3, rsi: 75, z: 3 }))).toMatchObject({ action: 'BUY' });
  });

  it('given trend and momentum disagree, then it is less sure', () => {
    const agreeing = opinion(features({ trend: 4, histogram: 0.02, rsi: 51 }));
    const disagreeing = opinion(features({ trend: 4, histogram: -0.02, rsi: 49 }));
    expect(disagreeing.action).toBe('BUY');
    expect(disagreeing.confidence).toBeLessThan(0.75 * agreeing.confidence);
  });

  it('given features are missing or prices do not move, then it says so and claims no confidence', () => {
    const { rsi: _, ...lacking } = features();
    expect(opinion(lacking)).toMatchObject({
      action: 'HOLD',
      confidence: 0,
      reason: 'rule-based: no opinion without rsi',
    });
    expect(opinion({ ...features(), sigma: 0 })).toMatchObject({ action: 'HOLD', confidence: 0 });
    expect(opinion({ ...features(), close: 'high' })).toMatchObject({ action: 'HOLD', confidence: 0 });
  });

  it('property: every answer is valid, in range, and the same for the same features at any price scale', () => {
    const around = (span: number) => fc.double({ min: -span, max: span, noNaN: true });
    fc.assert(
      fc.property(
        around(20),
        around(3),
        fc.double({ min: 0, max: 100, noNaN: true }),
        around(8),
        fc.constantFrom(1e-6, 1, 1e6),
        (trend, histogram, rsi, z, scale) => {
          const given = features({ trend, histogram, rsi, z });
          const view = opinion(given);
          expect(view.score).toBeGreaterThanOrEqual(50);
          expect(view.score).toBeLessThanOrEqual(95);
          expect(view.confidence).toBeLessThanOrEqual(0.9);
          expect(ruleBasedModel({ features: given })).toBe(ruleBasedModel({ features: given }));
          const scaled = Object.fromEntries(
            Object.entries(given).map(([name, value]) => [name, name === 'rsi' ? value : value * scale]),
          );
          const again = opinion(scaled);
          expect(Math.abs(again.score - view.score)).toBeLessThan(again.action === view.action ? 0.1 : 10);
        },
      ),
    );
  });

  it('property: turned upside down, the market gets the opposite answer', () => {
    const around = (span: number) => fc.double({ min: -span, max: span, noNaN: true });
    fc.assert(
      fc.property(around(20), around(3), fc.integer({ min: 0, max: 100 }), around(8), (trend, histogram, rsi, z) => {
        const view = opinion(features({ trend, histogram, rsi, z }));
        const mirrored = opinion(features({ trend: -trend, histogram: -histogram, rsi: 100 - rsi, z: -z }));
        const opposite = { BUY: 'SELL', SELL: 'BUY', HOLD: 'HOLD' } as const;
        if (Math.abs(view.score - 55) > 0.1 && view.action !== 'HOLD')
          expect(mirrored.action).toBe(opposite[view.action]);
      }),
    );
  });
});

import fc from 'fast-check';
import type { EventData } from '@moon/events';
import { completeConfig, type View } from '../../agent-kit';
import { tradingAgentConfigSchema } from './config';
import { followMove, learnCorrelation, raiseByCorrelation } from './correlation';
import type { CorrelationMemory } from './state';

const { correlation: config } = completeConfig('test', tradingAgentConfigSchema, {});
const NOW = 1_700_000_000_000;
const HOUR = 3_600_000;

function detected(direction: 'up' | 'down', at = NOW): EventData<'correlation.detected'> {
  const facts = { coefficient: 0.83, threshold: 0.7, samples: 40, windowMs: HOUR };
  return { event_type: 'correlation.detected', token: 'BTC', ...facts, direction, timestamp: at };
}
const buy = (confidence: number): View => ({ action: 'BUY', score: 80, confidence, reason: 'trend' });
/** A detection after which the price has moved on in its direction. */
const moved = (direction: 'up' | 'down' = 'up'): CorrelationMemory => ({
  ...learnCorrelation(null, detected(direction), 100, config),
  moved: true,
});

describe('what a correlation of sentiment and price does to a signal', () => {
  it('[US5-2] given a new move in the correlated direction, then confidence rises by the factor', () => {
    const raised = raiseByCorrelation(buy(0.6), moved(), NOW, config);
    expect(raised?.view.confidence).toBeCloseTo(0.75);
    expect(raised?.sizeFactor).toBe(1);
    expect(raised?.context).toMatchObject({
      correlation: 0.83,
      correlationDirection: 'up',
      confidenceBeforeCorrelation: 0.6,
    });
  });

  it('[US5-2] given the raised confidence exceeds 80 %, then the size rises too, to at most 1.5', () => {
    expect(raiseByCorrelation(buy(0.72), moved(), NOW, config)?.sizeFactor).toBeCloseTo(1.25);
    expect(raiseByCorrelation(buy(0.95), moved(), NOW, config)).toMatchObject({
      view: { confidence: 1 },
      sizeFactor: 1.5,
    });
    expect(raiseByCorrelation(buy(0.64), moved(), NOW, config)?.sizeFactor).toBe(1);
  });

  it('given no new move yet, another direction, HOLD, or a detection too long ago, then nothing is raised', () => {
    expect(raiseByCorrelation(buy(0.6), learnCorrelation(null, detected('up'), 100, config), NOW, config)).toBeNull();
    expect(raiseByCorrelation(buy(0.6), moved('down'), NOW, config)).toBeNull();
    expect(raiseByCorrelation({ ...buy(0.6), action: 'HOLD' }, moved(), NOW, config)).toBeNull();
    expect(raiseByCorrelation(buy(0.6), moved(), NOW + HOUR + 1, config)).toBeNull();
    expect(raiseByCorrelation(buy(0.6), null, NOW, config)).toBeNull();
  });

  it('a new move is one of 0.1 % from the price at the detection, in its direction, and is reported once', () => {
    const up = learnCorrelation(null, detected('up'), 100, config);
    expect([100.05, 99.5, 100.11, 100.3].map((close) => followMove(up, close, NOW, config))).toEqual([
      false,
      false,
      true,
      false,
    ]);
    const down = learnCorrelation(null, detected('down'), 100, config);
    expect([100.2, 99.89].map((close) => followMove(down, close, NOW, config))).toEqual([false, true]);
  });

  it('given no price was known at the detection, then the next close is the reference', () => {
    const memory = learnCorrelation(null, detected('up'), null, config);
    expect([100, 100.2].map((close) => followMove(memory, close, NOW, config))).toEqual([false, true]);
  });

  it('a repeated detection prolongs the move that was seen; one in the other direction, or after expiry, starts anew', () => {
    const again = learnCorrelation(moved(), detected('up', NOW + HOUR), 120, config);
    expect(again).toMatchObject({ moved: true, referencePrice: 100, detectedAt: NOW + HOUR });
    expect(learnCorrelation(moved(), detected('down', NOW + 1), 120, config)).toMatchObject({
      moved: false,
      referencePrice: 120,
    });
    expect(learnCorrelation(moved(), detected('up', NOW + HOUR + 1), 120, config)).toMatchObject({ moved: false });
  });

  it('[US5-2] property: confidence never falls, never exceeds 1, and the size stays between 1 and the bound', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.double({ min: 1, max: 3, noNaN: true }),
        (confidence, maxSizeFactor) => {
          const raised = raiseByCorrelation(buy(confidence), moved(), NOW, { ...config, maxSizeFactor });
          expect(raised?.view.confidence).toBeGreaterThanOrEqual(confidence);
          expect(raised?.view.confidence).toBeLessThanOrEqual(1);
          expect(raised?.sizeFactor).toBeGreaterThanOrEqual(1);
          expect(raised?.sizeFactor).toBeLessThanOrEqual(maxSizeFactor + 1e-4);
        },
      ),
    );
  });
});

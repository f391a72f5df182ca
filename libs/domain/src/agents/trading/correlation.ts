import type { EventData } from '@moon/events';
import { figure, round, type View } from '../../agent-kit';
import type { TradingAgentConfig } from './config';
import type { CorrelationMemory } from './state';

type CorrelationConfig = TradingAgentConfig['correlation'];

/** Takes in `correlation.detected`. A repetition in the same direction prolongs what is known; another direction starts anew. */
export function learnCorrelation(
  known: CorrelationMemory | null,
  detected: EventData<'correlation.detected'>,
  lastClose: number | null,
  config: CorrelationConfig,
): CorrelationMemory {
  const { direction, coefficient, timestamp: detectedAt } = detected;
  const same = known !== null && known.direction === direction && detectedAt - known.detectedAt <= config.validMs;
  return same
    ? { ...known, coefficient, detectedAt }
    : { direction, coefficient, detectedAt, referencePrice: lastClose, moved: false };
}

/**
 * Follows the price after a detection.
 *
 * @param now event time of the bar's close, ms
 * @returns whether this bar completed the new move in the correlated direction; mutates `memory`
 */
export function followMove(memory: CorrelationMemory, close: number, now: number, config: CorrelationConfig): boolean {
  if (memory.moved || now - memory.detectedAt > config.validMs) return false;
  memory.referencePrice ??= close;
  const move = (close / memory.referencePrice - 1) * (memory.direction === 'up' ? 1 : -1);
  memory.moved = move >= config.newMoveFraction;
  return memory.moved;
}

export interface Raised {
  view: View;
  /** 1 unless the raised confidence is above `sizeAboveConfidence`. */
  sizeFactor: number;
  context: Record<string, number | string>;
}

/**
 * Raises a view that goes with a correlated new move (US5-2): confidence' = min(1, confidence × confidenceFactor), and when that is
 * above s = sizeAboveConfidence, size factor 1 + (maxSizeFactor − 1)·(confidence' − s) ÷ (1 − s). Both are bounded by the
 * configuration. @returns null when the correlation does not speak for this view at event time `now` (ms)
 */
export function raiseByCorrelation(
  view: View,
  memory: CorrelationMemory | null,
  now: number,
  config: CorrelationConfig,
): Raised | null {
  if (memory === null || !memory.moved || now - memory.detectedAt > config.validMs) return null;
  if (view.action !== (memory.direction === 'up' ? 'BUY' : 'SELL')) return null;
  const confidence = Math.min(1, view.confidence * config.confidenceFactor);
  const above = Math.max(0, confidence - config.sizeAboveConfidence) / (1 - config.sizeAboveConfidence);
  return {
    view: { ...view, confidence, reason: `${view.reason}; sentiment and price move together ${memory.direction}` },
    sizeFactor: round(1 + (config.maxSizeFactor - 1) * above, 4),
    context: {
      correlation: figure(memory.coefficient),
      correlationDirection: memory.direction,
      confidenceBeforeCorrelation: round(view.confidence, 4),
    },
  };
}

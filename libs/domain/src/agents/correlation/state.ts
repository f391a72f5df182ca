import { newBarSource, type BarSourceState } from '../../agent-kit';
import { createRollingCorrelation, type RollingCorrelationState } from '../../indicators';

export type Direction = 'up' | 'down';

/** One sentiment source of the token. */
export interface SourceTrack {
  source: string;
  /** The sentiment index, 0–100: mean of bullish_pct, weighted by confidence and faded by age. */
  index: number;
  /** Sum of the faded weights at `at`. */
  weight: number;
  /** Event time of the last update, epoch ms. */
  at: number;
  /** Times of the latest updates, oldest first; at most `minUpdates` of them. */
  recent: number[];
  /** Samples (index, ln price) of the window. */
  pairs: RollingCorrelationState;
  /** The detection that stands, and when it was last said (epoch ms). */
  standing: Direction | null;
  saidAt: number | null;
}

/** State of the correlation agent for one token. */
export interface CorrelationAgentState {
  bars: BarSourceState;
  /** The source silent longest comes first. */
  sources: SourceTrack[];
  detections: number;
}

export function newCorrelationState(): CorrelationAgentState {
  return { bars: newBarSource(), sources: [], detections: 0 };
}

export function newTrack(source: string, windowMs: number): SourceTrack {
  const pairs = createRollingCorrelation(windowMs);
  return { source, index: 0, weight: 0, at: 0, recent: [], pairs, standing: null, saidAt: null };
}

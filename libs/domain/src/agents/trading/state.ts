import { newBarSource, newOpeningMemory, type BarSourceState, type View, type VoterState } from '../../agent-kit';
import type { TradingAgentConfig } from './config';
import { createIndicators, type Features, type IndicatorStates } from './features';

/** A model that was asked and has not answered yet. */
export interface PendingInference {
  inferenceId: string;
  /** The window that waits for the answer; null = asked of the agent's own accord. */
  windowId: string | null;
  /** Event time after which the answer is late, ms. */
  expiresAt: number;
  /** What it was asked about, as the request carried it. */
  figures: Record<string, number | string>;
  trigger: string;
}

/** The model's last answer, with what a signal carries of how it came about. */
export interface ModelView extends View {
  /** Event time of the answer, ms. */
  at: number;
  context: Record<string, number | string>;
}

/** A correlation of sentiment and price that is in force. */
export interface CorrelationMemory {
  direction: 'up' | 'down';
  coefficient: number;
  detectedAt: number;
  /** Close when it was detected; null until there is one. */
  referencePrice: number | null;
  /** Whether the price has made a new move in the direction since. */
  moved: boolean;
}

/** State of the trading agent for one token. */
export interface TradingAgentState {
  voter: VoterState;
  source: BarSourceState;
  indicators: IndicatorStates;
  features: Features | null;
  view: ModelView | null;
  pending: PendingInference[];
  /** Trading conditions met since the last inference. */
  triggers: string[];
  lastInferenceAt: number | null;
  barsSinceInference: number;
  correlation: CorrelationMemory | null;
  lastApproval: { action: 'BUY' | 'SELL'; at: number } | null;
  inferences: { asked: number; answered: number; failed: number; late: number; unknown: number };
}

export function newTradingState(config: TradingAgentConfig): TradingAgentState {
  return {
    voter: { halts: [], opening: newOpeningMemory(), counts: { openings: 0, answers: 0, withheld: 0 } },
    source: newBarSource(),
    indicators: createIndicators(config.indicators),
    features: null,
    view: null,
    pending: [],
    triggers: [],
    lastInferenceAt: null,
    barsSinceInference: 0,
    correlation: null,
    lastApproval: null,
    inferences: { asked: 0, answered: 0, failed: 0, late: 0, unknown: 0 },
  };
}

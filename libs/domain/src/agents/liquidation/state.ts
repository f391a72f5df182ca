import type { GlobalHalt } from '../../agent-kit';

/** A cascade under way; figures are those of its worst moment. */
export interface Cascade {
  /** Whose positions are being closed. */
  side: 'longs' | 'shorts';
  startedAt: number;
  count: number;
  notional: number;
  /** Share of the notional on this side, 0.5–1. */
  share: number;
  /** Whether any of it was more than warm-up. */
  isLive: boolean;
  /** Severity when it was last signalled; null = not yet. */
  signalled: number | null;
}

/** State of the liquidation agent for one token. */
export interface LiquidationAgentState {
  halts: GlobalHalt[];
  cascade: Cascade | null;
  /** Cascades seen, signals given, and signals that a global halt kept back. */
  counts: { cascades: number; signals: number; withheld: number };
}

export function newLiquidationState(): LiquidationAgentState {
  return { halts: [], cascade: null, counts: { cascades: 0, signals: 0, withheld: 0 } };
}

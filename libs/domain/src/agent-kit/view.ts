import type { AnyEvent } from '@moon/events';
import { num15 } from '../money';

export type Action = 'BUY' | 'SELL' | 'HOLD';

/** What an agent thinks of a token at a moment, in figures. */
export interface Opinion {
  action: Action;
  /** 0–100: how strong the case for the action is. */
  score: number;
  /** 0–1: how sure the agent is. 0 = it has no view and dilutes nobody in the consensus. */
  confidence: number;
}

/** An opinion with its reason: what the agent votes with and what it opens a window with. */
export interface View extends Opinion {
  /** One sentence for the audit trail. */
  reason: string;
}

/** The honest answer of an agent that knows nothing: HOLD with confidence 0, and why. */
export function noView(reason: string): View {
  return { action: 'HOLD', score: 0, confidence: 0, reason };
}

/** Conviction in 0–1: score × confidence; 0 for HOLD. */
export function conviction(view: Opinion): number {
  return view.action === 'HOLD' ? 0 : (view.score / 100) * view.confidence;
}

/** A view with score and confidence clamped to their ranges and rounded to 2 and 4 decimals, fit to be emitted. */
export function roundView(view: View): View {
  return { ...view, score: round(clamp(view.score, 0, 100), 2), confidence: round(clamp(view.confidence, 0, 1), 4) };
}

export function clamp(value: number, low: number, high: number): number {
  return value < low ? low : value > high ? high : value;
}

const FACTORS = Array.from({ length: 16 }, (_, decimals) => 10 ** decimals);

/** Rounds to `decimals` places; for display figures only, never for money. */
export function round(value: number, decimals: number): number {
  const factor = FACTORS[decimals] ?? 10 ** decimals;
  const rounded = Math.round(value * factor) / factor;
  return rounded === 0 ? 0 : rounded;
}

/**
 * A computed figure as an event carries it: at most 15 significant digits. The usual sizes are cut at nine decimals,
 * which costs a twentieth of `num15`; the quotient of two whole numbers below 10¹⁵ is exactly such a number.
 */
export function figure(value: number): number {
  const size = Math.abs(value);
  if (size >= 1e-2 && size < 1e5) return Math.round(value * 1e9) / 1e9;
  return num15(value);
}

/** Warm-up inputs build up indicators; what a handler emits on them is dropped (rule 7), so nothing may be remembered as said. */
export function isWarmup(event: AnyEvent): boolean {
  return event.headers?.warmup === true;
}

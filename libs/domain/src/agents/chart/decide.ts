import { clamp, noView, type Opinion, type View } from '../../agent-kit';
import type { ChartAgentConfig } from './config';
import type { LengthState } from './state';

/** A length that leans less than this takes no side. */
const NEUTRAL = 0.1;

/** Weighted lean of the ready lengths, and which part of all weight they are; null while none is ready. */
interface Combined {
  lean: number;
  coverage: number;
}

function combine(lengths: readonly LengthState[], config: ChartAgentConfig): Combined | null {
  let ready = 0;
  let all = 0;
  let sum = 0;
  for (let index = 0; index < lengths.length; index++) {
    const weight = config.lengths[index]?.weight ?? 0;
    const lean = lengths[index]?.lean ?? null;
    all += weight;
    if (lean === null) continue;
    ready += weight;
    sum += weight * lean;
  }
  return ready === 0 ? null : { lean: sum / ready, coverage: ready / all };
}

/**
 * The agent's opinion over all bar lengths; null while none is ready. Lengths still warming up are left out, which costs confidence:
 *
 * - lean       D = Σ w·lean ÷ Σ w over the ready lengths
 * - strength   q = (|D| − actionAt) ÷ (fullAt − actionAt), at most 1; HOLD when negative
 * - score      55 + 40·q (HOLD 50), so that a weak case alone stays below a threshold of 70
 * - confidence (0.5 + 0.4·q)·a·(0.5 + 0.5·r): a = 1 when no ready length leans the other way, else 0.8; r = weight of the ready lengths
 *   ÷ weight of all; HOLD has 0.1·(0.5 + 0.5·r)
 */
export function chartOpinion(lengths: readonly LengthState[], config: ChartAgentConfig): Opinion | null {
  const combined = combine(lengths, config);
  if (combined === null) return null;
  const { lean } = combined;
  const coverage = 0.5 + 0.5 * combined.coverage;
  const strength = Math.min(1, (Math.abs(lean) - config.actionAt) / (config.fullAt - config.actionAt));
  if (strength < 0) return { action: 'HOLD', score: 50, confidence: 0.1 * coverage };
  const opposed = lengths.some(
    (length) => length.lean !== null && length.lean * lean < 0 && Math.abs(length.lean) > NEUTRAL,
  );
  const confidence = clamp((0.5 + 0.4 * strength) * (opposed ? 0.8 : 1) * coverage, 0, 1);
  return { action: lean > 0 ? 'BUY' : 'SELL', score: 55 + 40 * strength, confidence };
}

/** The opinion with its reason, for a vote. */
export function chartView(lengths: readonly LengthState[], config: ChartAgentConfig): View {
  const opinion = chartOpinion(lengths, config);
  return opinion === null ? noView('still warming up') : { ...opinion, reason: chartReason(lengths, config) };
}

/** What the opinion rests on, in one sentence. */
export function chartReason(lengths: readonly LengthState[], config: ChartAgentConfig): string {
  const lean = combine(lengths, config)?.lean ?? 0;
  const direction =
    Math.abs(lean) < config.actionAt ? 'no clear direction' : `chart points ${lean > 0 ? 'up' : 'down'}`;
  const each = lengths.filter((length) => length.lean !== null).map(describeLength);
  return `${direction}: lean ${lean.toFixed(2)} (${each.join('; ')})`;
}

function describeLength(length: LengthState): string {
  const parts = [`${length.minutes} min ${(length.lean ?? 0).toFixed(2)}`];
  if (Math.abs(length.breakout) >= NEUTRAL) parts.push(`breakout ${length.breakout > 0 ? 'up' : 'down'}`);
  if (length.patternName !== null) parts.push(length.patternName.replace('_', ' '));
  return parts.join(', ');
}

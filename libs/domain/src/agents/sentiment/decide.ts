import type { EventData } from '@moon/events';
import { clamp, noView, type View } from '../../agent-kit';
import type { SentimentAgentConfig, SentimentSourceRule } from './config';
import type { SourceMemory } from './state';

const HOUR = 3_600_000;
/** More sources than this for one token are an attack or a mistake; the one that has been silent longest makes room. */
const MAX_SOURCES = 50;

export function ruleFor(source: string, config: SentimentAgentConfig): SentimentSourceRule | undefined {
  return config.sources.find((rule) => source.startsWith(rule.prefix));
}

/**
 * Takes in one `sentiment.update`. Evidence W and mean m of a source, with its half-life h and the update's confidence c:
 * W' = W·2^(−Δt/h) + c, m' = m + (bullish_pct − m)·c ÷ W', then W' is capped at `maxEvidence`.
 * An update older than the last one of its source changes nothing.
 *
 * @returns whether anything changed
 */
export function learn(
  sources: SourceMemory[],
  update: EventData<'sentiment.update'>,
  config: SentimentAgentConfig,
): boolean {
  const rule = ruleFor(update.source, config);
  if (rule === undefined || update.confidence <= 0) return false;
  const known = sources.find((one) => one.source === update.source);
  const { bullish_pct: bullishPct, confidence, timestamp: at } = update;
  // A source's first reading has no velocity: there is nothing to compare it with.
  const velocity = update.velocity ?? 0;
  if (known === undefined) {
    if (sources.length >= MAX_SOURCES) sources.splice(oldest(sources), 1);
    sources.push({
      source: update.source,
      evidence: Math.min(confidence, config.maxEvidence),
      bullishPct,
      velocity,
      at,
    });
    return true;
  }
  if (at < known.at) return false;
  const evidence = weightAt(known, at, rule) + confidence;
  known.bullishPct += ((bullishPct - known.bullishPct) * confidence) / evidence;
  known.evidence = Math.min(evidence, config.maxEvidence);
  known.velocity = velocity;
  known.at = at;
  return true;
}

function oldest(sources: readonly SourceMemory[]): number {
  return sources.reduce((best, one, index) => (one.at < sources[best]!.at ? index : best), 0);
}

/** Evidence of a source at event time `now` (ms): halved every half-life, nothing once stale. */
function weightAt(memory: SourceMemory, now: number, rule: SentimentSourceRule): number {
  const age = Math.max(0, now - memory.at);
  return age > rule.staleAfterMs ? 0 : memory.evidence * 2 ** (-age / rule.halfLifeMs);
}

/** Lean of one source in [−1, 1]: its mean plus the fading velocity, turned round at extremes when its rule says so. */
function leanAt(memory: SourceMemory, now: number, rule: SentimentSourceRule, config: SentimentAgentConfig): number {
  const fading = 2 ** (-Math.max(0, now - memory.at) / HOUR);
  const lean = clamp((memory.bullishPct + config.velocityHours * memory.velocity * fading - 50) / 50, -1, 1);
  const extreme = memory.bullishPct <= config.extremeLow || memory.bullishPct >= config.extremeHigh;
  return rule.contrarianAtExtremes && extreme ? -lean : lean;
}

/**
 * The agent's view at event time `now` (ms). It persists between updates and fades with age:
 *
 * - weight of a source  w = k·W·2^(−age/halfLife), 0 once stale; k = configured weight
 * - lean                L = Σ w·l ÷ Σ w, l = (m + velocityHours·v·2^(−age/1 h) − 50) ÷ 50 in [−1, 1]
 * - strength            q = (|L| − actionAt) ÷ (1 − actionAt); HOLD when negative
 * - score               75 + 20·q (HOLD 50)
 * - confidence          maxConfidence·(1 − e^(−Σw ÷ evidenceScale))·(0.6 + 0.4·q); HOLD a tenth of maxConfidence·(1 − e^…)
 */
export function sentimentView(sources: readonly SourceMemory[], now: number, config: SentimentAgentConfig): View {
  let evidence = 0;
  let leaning = 0;
  let heard = 0;
  for (const memory of sources) {
    const rule = ruleFor(memory.source, config);
    if (rule === undefined) continue;
    const weight = rule.weight * weightAt(memory, now, rule);
    if (weight <= 0) continue;
    heard++;
    evidence += weight;
    leaning += weight * leanAt(memory, now, rule, config);
  }
  if (evidence <= 0) return noView(sources.length === 0 ? 'no sentiment heard yet' : 'all sentiment sources are stale');
  const lean = leaning / evidence;
  const certainty = config.maxConfidence * (1 - Math.exp(-evidence / config.evidenceScale));
  const strength = (Math.abs(lean) - config.actionAt) / (1 - config.actionAt);
  const basis = `lean ${lean.toFixed(2)} from ${heard} source(s), evidence ${evidence.toFixed(2)}`;
  if (strength < 0)
    return { action: 'HOLD', score: 50, confidence: 0.1 * certainty, reason: `sentiment is balanced: ${basis}` };
  return {
    action: lean > 0 ? 'BUY' : 'SELL',
    score: 75 + 20 * strength,
    confidence: certainty * (0.6 + 0.4 * strength),
    reason: `sentiment is ${lean > 0 ? 'bullish' : 'bearish'}: ${basis}`,
  };
}

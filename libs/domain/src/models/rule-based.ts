import type { EmitData } from '@moon/events';

/** Provider named in `inference.completed` when this model answered. */
export const RULE_BASED_PROVIDER = 'rule-based' as const;
/** Model named in `inference.completed`; the number goes up when a rule or a constant below changes. */
export const RULE_BASED_MODEL = 'rule-based-1';

/** What the model reads of a request; prices in the quote currency, RSI 0–100. */
interface Reading {
  close: number;
  smaFast: number;
  smaSlow: number;
  rsi: number;
  macdHistogram: number;
  bollingerMiddle: number;
  /** Standard deviation of the closes in the Bollinger window, in price units. */
  sigma: number;
}

const FIELDS = ['close', 'smaFast', 'smaSlow', 'rsi', 'macdHistogram', 'bollingerMiddle', 'sigma'] as const;

/** Parts of the opinion, each in [−1, 1]; positive speaks for BUY. */
interface Parts {
  trend: number;
  momentum: number;
  reversion: number;
  total: number;
}

/** |total| from which the model takes a side: about one bar in six of BTCUSDT 1 min, in calm weeks as in the crash of 2021. */
const ACTION_AT = 0.5;
/** |total| at which score and confidence are at their highest: about one bar in two hundred. */
const FULL_AT = 0.8;

/**
 * Answers an inference request by rules alone: pure, deterministic, scale-free (every price difference is divided by σ,
 * the standard deviation of the closes in the Bollinger window). It stands in when no language model has a key, and
 * answers in the same JSON form: `{action, score, confidence, reason}`.
 *
 * - trend      t = tanh((SMA fast − SMA slow) ÷ 2σ)
 * - momentum   m = ½·tanh(8 × MACD histogram ÷ σ) + ½·clamp((RSI − 50) ÷ 25)
 * - reversion  r = −clamp((|z| − 2) ÷ 1)·sign(z), z = (close − Bollinger middle) ÷ σ, only outside ±2σ and only as far as
 *   there is no trend: r is weighted with (1 − |t|), so a breakout along a trend is not faded
 * - total      x = clamp(0.6·t + 0.4·m + 0.6·(1 − |t|)·r)
 * - action     BUY when x ≥ 0.5, SELL when x ≤ −0.5, else HOLD
 * - strength   q = clamp((|x| − 0.5) ÷ 0.3), in 0–1
 * - score      55 + 40·q for a side (55–95), so that a weak case alone stays below a threshold of 70; 50 for HOLD
 * - confidence (0.5 + 0.4·q) × agreement, agreement = 1 when trend and momentum point the same way, else 0.7;
 *   HOLD has 0.1, so that standing aside dilutes a consensus only a little
 *
 * @param request data of `inference.requested`; uses its features close, smaFast, smaSlow, rsi, macdHistogram, bollingerMiddle, sigma
 * @returns the answer text, JSON; HOLD with confidence 0 that names the missing features when the request lacks any
 */
export function ruleBasedModel(request: Pick<EmitData<'inference.requested'>, 'features'>): string {
  const { reading, missing } = read(request.features);
  if (reading === null) return answer('HOLD', 0, 0, `no opinion without ${missing.join(', ')}`);
  if (!(reading.sigma > 0)) return answer('HOLD', 0, 0, 'no opinion: prices do not move');
  const parts = weigh(reading);
  const strength = Math.min(1, (Math.abs(parts.total) - ACTION_AT) / (FULL_AT - ACTION_AT));
  if (strength < 0) return answer('HOLD', 50, 0.1, `no side is clear: ${describe(parts)}`);
  const agreement = parts.trend * parts.momentum > 0 ? 1 : 0.7;
  const action = parts.total > 0 ? 'BUY' : 'SELL';
  return answer(action, 55 + 40 * strength, (0.5 + 0.4 * strength) * agreement, describe(parts));
}

function weigh(reading: Reading): Parts {
  const { sigma } = reading;
  const trend = Math.tanh((reading.smaFast - reading.smaSlow) / (2 * sigma));
  const momentum = 0.5 * Math.tanh((8 * reading.macdHistogram) / sigma) + 0.5 * unit((reading.rsi - 50) / 25);
  const z = (reading.close - reading.bollingerMiddle) / sigma;
  const reversion = Math.abs(z) > 2 ? -Math.sign(z) * unit(Math.abs(z) - 2) : 0;
  return {
    trend,
    momentum,
    reversion,
    total: unit(0.6 * trend + 0.4 * momentum + 0.6 * (1 - Math.abs(trend)) * reversion),
  };
}

function read(features: Record<string, string | number>): { reading: Reading | null; missing: string[] } {
  const missing = FIELDS.filter((field) => typeof features[field] !== 'number' || !Number.isFinite(features[field]));
  return { reading: missing.length === 0 ? (features as unknown as Reading) : null, missing };
}

function describe(parts: Parts): string {
  const [trend, momentum, reversion, total] = [parts.trend, parts.momentum, parts.reversion, parts.total].map((part) =>
    part.toFixed(2),
  );
  return `trend ${trend}, momentum ${momentum}, reversion ${reversion}, total ${total}`;
}

function answer(action: 'BUY' | 'SELL' | 'HOLD', score: number, confidence: number, reason: string): string {
  return JSON.stringify({
    action,
    score: fixed(score, 2),
    confidence: fixed(confidence, 4),
    reason: `rule-based: ${reason}`,
  });
}

function fixed(value: number, decimals: number): number {
  return Number(value.toFixed(decimals));
}

function unit(value: number): number {
  return Math.max(-1, Math.min(1, value));
}

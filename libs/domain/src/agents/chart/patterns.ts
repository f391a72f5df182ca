import type { Bar } from '../../indicators';
import type { Swing } from './state';

/** A pattern that a bar completed; `value` in [−1, 1], positive speaks for a rise. */
export interface Pattern {
  name: 'double_top' | 'double_bottom' | 'three_up' | 'three_down' | 'bullish_engulfing' | 'bearish_engulfing';
  value: number;
}

/** What the patterns are read from; `bars[0]` is the bar just closed, `bars[1]` the one before, and so on. */
export interface PatternInput {
  bars: readonly Bar[];
  swings: readonly Swing[];
  /** Average true range, the unit of every distance here. */
  atr: number;
  /** Trend lean in [−1, 1]: a reversal pattern needs something to reverse. */
  trend: number;
}

/** Tops or bottoms closer than this many ATR are the same level. */
const SAME_LEVEL_ATR = 0.5;
/** Least body, in ATR, of an engulfing bar and of each bar of a three-bar run. */
const ENGULFING_BODY_ATR = 0.6;
const RUN_BODY_ATR = 0.4;
/** Least trend against which an engulfing bar is a reversal. */
const REVERSAL_TREND = 0.2;

/** The strongest pattern that the newest bar completes, or null. */
export function findPattern(input: PatternInput): Pattern | null {
  return doubleTurn(input) ?? threeBars(input) ?? engulfing(input);
}

/** Two tops (bottoms) at one level, and the close falls (rises) through the turning point between them. */
function doubleTurn({ bars, swings, atr }: PatternInput): Pattern | null {
  const [first, between, second] = swings.slice(-3);
  const [now, before] = bars;
  if (!first || !between || !second || !now || !before) return null;
  if (Math.abs(first.price - second.price) > SAME_LEVEL_ATR * atr) return null;
  const neck = between.price;
  if (second.kind === 'high' && now.close < neck && before.close >= neck) return { name: 'double_top', value: -1 };
  if (second.kind === 'low' && now.close > neck && before.close <= neck) return { name: 'double_bottom', value: 1 };
  return null;
}

/** Three bars in one direction, each with a body of weight and closing beyond the one before. */
function threeBars({ bars, atr }: PatternInput): Pattern | null {
  const [c, b, a] = bars;
  if (!a || !b || !c) return null;
  const least = RUN_BODY_ATR * atr;
  const rising = [a, b, c].every((bar) => bar.close - bar.open >= least) && c.close > b.close && b.close > a.close;
  if (rising) return { name: 'three_up', value: 0.8 };
  const falling = [a, b, c].every((bar) => bar.open - bar.close >= least) && c.close < b.close && b.close < a.close;
  return falling ? { name: 'three_down', value: -0.8 } : null;
}

/** A bar whose body covers the opposite body before it, against the trend. */
function engulfing({ bars, atr, trend }: PatternInput): Pattern | null {
  const [now, before] = bars;
  if (!now || !before || Math.abs(now.close - now.open) < ENGULFING_BODY_ATR * atr) return null;
  const up = before.close < before.open && now.open <= before.close && now.close >= before.open;
  if (up && trend <= -REVERSAL_TREND) return { name: 'bullish_engulfing', value: 0.7 };
  const down = before.close > before.open && now.open >= before.close && now.close <= before.open;
  return down && trend >= REVERSAL_TREND ? { name: 'bearish_engulfing', value: -0.7 } : null;
}

/**
 * Notes a turning point once the two bars after it are known: `bars[2]` against the two bars on each side. Keeps the last
 * three, alternating: of two highs (lows) in a row the higher (lower) one stays. Mutates `swings`.
 */
export function noteSwing(swings: Swing[], bars: readonly Bar[]): void {
  const [e, d, c, b, a] = bars;
  if (!a || !b || !c || !d || !e) return;
  if (c.high > Math.max(a.high, b.high, d.high, e.high)) addSwing(swings, { kind: 'high', price: c.high });
  if (c.low < Math.min(a.low, b.low, d.low, e.low)) addSwing(swings, { kind: 'low', price: c.low });
}

function addSwing(swings: Swing[], swing: Swing): void {
  const last = swings[swings.length - 1];
  if (last === undefined || last.kind !== swing.kind) swings.push(swing);
  else if (swing.kind === 'high' ? swing.price > last.price : swing.price < last.price)
    swings[swings.length - 1] = swing;
  if (swings.length > 3) swings.shift();
}

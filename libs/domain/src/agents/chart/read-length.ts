import { clamp } from '../../agent-kit';
import { barAt, pushAtr, pushBollinger, pushEma, type Bar, type Bollinger } from '../../indicators';
import type { ChartAgentConfig } from './config';
import { findPattern, noteSwing } from './patterns';
import type { LengthState } from './state';

/** Bars that patterns and turning points look at. */
const PATTERN_BARS = 5;
/** Bollinger bands narrower than this many ATR on each side are a squeeze (they lie inside a Keltner channel of that width). */
const SQUEEZE_ATR = 1.5;
/** A slope of the slow average of this many ATR a bar is a lean of tanh 1. */
const SLOPE_ATR = 0.15;
/** What is left of a breakout without a squeeze before it. */
const PLAIN_BREAKOUT = 0.7;

/**
 * Takes in the closed bar `ago` bars back in `length.series`: 0, or 1 for the first of two that closed at once after a gap.
 *
 * - trend    t = ½·tanh((EMA fast − EMA slow) ÷ ATR) + ½·tanh(slope of EMA slow ÷ 0.15 ATR)
 * - breakout b = ±1 (after a squeeze) or ±0.7 when the close leaves the Donchian channel of the bars before; fades by
 *   `breakoutDecay` a bar, and is over when the close is back beyond the middle of the bands
 * - pattern  p = value of the last pattern, fading by `patternDecay` a bar
 * - lean       = clamp(0.6·t + 0.3·b + 0.15·p)
 */
export function readBar(length: LengthState, ago: number, config: ChartAgentConfig): void {
  const recent = lastBars(length, ago, PATTERN_BARS);
  const bar = recent[0];
  if (bar === undefined) return;
  const fast = pushEma(length.fast, bar.close);
  const slow = pushEma(length.slow, bar.close);
  const atr = pushAtr(length.atr, bar.high, bar.low, bar.close);
  const bands = pushBollinger(length.bands, bar.close);
  const slowBefore = length.slowBefore;
  length.slowBefore = slow;
  noteSwing(length.swings, recent);
  if (fast === null || slow === null || slowBefore === null || atr === null || bands === null) return;
  if (!(atr > 0)) {
    length.lean = 0;
    return;
  }
  length.trend = 0.5 * Math.tanh((fast - slow) / atr) + 0.5 * Math.tanh((slow - slowBefore) / (SLOPE_ATR * atr));
  readBreakout(length, { bar, ago, bands }, config);
  const squeezed = bands.upper - bands.middle < SQUEEZE_ATR * atr;
  length.sinceSqueeze = squeezed ? 0 : length.sinceSqueeze === null ? null : length.sinceSqueeze + 1;
  const found = findPattern({ bars: recent, swings: length.swings, atr, trend: length.trend });
  length.pattern = found === null ? length.pattern * config.patternDecay : found.value;
  length.patternName = found?.name ?? (Math.abs(length.pattern) < 0.1 ? null : length.patternName);
  length.lean = clamp(0.6 * length.trend + 0.3 * length.breakout + 0.15 * length.pattern, -1, 1);
}

function readBreakout(
  length: LengthState,
  closed: { bar: Bar; ago: number; bands: Bollinger },
  config: ChartAgentConfig,
): void {
  const { bar, ago, bands } = closed;
  const side = channelSide(length, bar.close, ago, config.channelPeriod);
  if (side !== 0) {
    const afterSqueeze = length.sinceSqueeze !== null && length.sinceSqueeze <= config.squeezeMemoryBars;
    length.breakout = side * Math.max(afterSqueeze ? 1 : PLAIN_BREAKOUT, side * length.breakout);
    return;
  }
  const over = (bar.close - bands.middle) * length.breakout < 0;
  length.breakout = over ? 0 : length.breakout * config.breakoutDecay;
}

/** 1 when the close is above every high of the `period` bars before bar `at`, −1 below every low, else 0; 0 when there are too few. */
function channelSide(length: LengthState, close: number, at: number, period: number): -1 | 0 | 1 {
  let above = true;
  let below = true;
  for (let ago = at + 1; ago <= at + period && (above || below); ago++) {
    const bar = barAt(length.series, ago);
    if (bar === null) return 0;
    if (close <= bar.high) above = false;
    if (close >= bar.low) below = false;
  }
  return above ? 1 : below ? -1 : 0;
}

/** `count` bars, newest first, from the one `from` bars back; fewer when the series is short. */
function lastBars(length: LengthState, from: number, count: number): Bar[] {
  const bars: Bar[] = [];
  for (let ago = from; ago < from + count; ago++) {
    const bar = barAt(length.series, ago);
    if (bar === null) break;
    bars.push(bar);
  }
  return bars;
}

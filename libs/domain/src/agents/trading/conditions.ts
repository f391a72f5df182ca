import type { TradingAgentConfig } from './config';
import type { Features } from './features';

/**
 * The trading conditions that a bar met, compared with the bar before: sma_cross, macd_cross, rsi_extreme (entered),
 * band_break (closed outside the Bollinger bands), trend (the averages moved apart by trendSigmas·σ). Being in a state
 * is no condition, entering it is, so that a quiet trend does not ask the model at every bar.
 */
export function tradingConditions(
  before: Features | null,
  now: Features,
  config: TradingAgentConfig['conditions'],
): string[] {
  if (before === null) return [];
  const met: string[] = [];
  if (side(before.smaFast - before.smaSlow) !== side(now.smaFast - now.smaSlow)) met.push('sma_cross');
  if (side(before.macdHistogram) !== side(now.macdHistogram)) met.push('macd_cross');
  if (rsiZone(now.rsi, config) !== 0 && rsiZone(now.rsi, config) !== rsiZone(before.rsi, config))
    met.push('rsi_extreme');
  if (outside(now) !== 0 && outside(now) !== outside(before)) met.push('band_break');
  if (isTrend(now, config.trendSigmas) && !isTrend(before, config.trendSigmas)) met.push('trend');
  return met;
}

function side(difference: number): -1 | 1 {
  return difference >= 0 ? 1 : -1;
}

function rsiZone(rsi: number, config: TradingAgentConfig['conditions']): -1 | 0 | 1 {
  return rsi <= config.rsiLow ? -1 : rsi >= config.rsiHigh ? 1 : 0;
}

function outside(features: Features): -1 | 0 | 1 {
  return features.close > features.bollingerUpper ? 1 : features.close < features.bollingerLower ? -1 : 0;
}

function isTrend(features: Features, sigmas: number): boolean {
  return features.sigma > 0 && Math.abs(features.smaFast - features.smaSlow) >= sigmas * features.sigma;
}

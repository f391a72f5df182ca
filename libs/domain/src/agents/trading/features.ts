import type { TradingAgentConfig } from './config';
import {
  createBollinger,
  createMacd,
  createRsi,
  createSma,
  pushBollinger,
  pushMacd,
  pushRsi,
  pushSma,
  type BollingerState,
  type MacdState,
  type RsiState,
  type SmaState,
} from '../../indicators';
import { figure } from '../../agent-kit';

export interface IndicatorStates {
  smaFast: SmaState;
  smaSlow: SmaState;
  rsi: RsiState;
  macd: MacdState;
  bollinger: BollingerState;
}

/** The indicators at a bar's close, unrounded. Prices in the quote currency, RSI 0–100, sigma = standard deviation behind the bands. */
export interface Features {
  close: number;
  smaFast: number;
  smaSlow: number;
  rsi: number;
  macd: number;
  macdSignal: number;
  macdHistogram: number;
  bollingerUpper: number;
  bollingerMiddle: number;
  bollingerLower: number;
  sigma: number;
}

export function createIndicators(periods: TradingAgentConfig['indicators']): IndicatorStates {
  return {
    smaFast: createSma(periods.smaFast),
    smaSlow: createSma(periods.smaSlow),
    rsi: createRsi(periods.rsi),
    macd: createMacd(periods.macdFast, periods.macdSlow, periods.macdSignal),
    bollinger: createBollinger(periods.bollinger, periods.bollingerWidth),
  };
}

/** Pushes a close into every indicator. @returns the features, or null while one of them is still warming up */
export function pushClose(states: IndicatorStates, close: number): Features | null {
  const smaFast = pushSma(states.smaFast, close);
  const smaSlow = pushSma(states.smaSlow, close);
  const rsi = pushRsi(states.rsi, close);
  const macd = pushMacd(states.macd, close);
  const bands = pushBollinger(states.bollinger, close);
  if (smaFast === null || smaSlow === null || rsi === null || macd === null || bands === null) return null;
  if (macd.signal === null || macd.histogram === null) return null;
  return {
    close,
    smaFast,
    smaSlow,
    rsi,
    macd: macd.macd,
    macdSignal: macd.signal,
    macdHistogram: macd.histogram,
    bollingerUpper: bands.upper,
    bollingerMiddle: bands.middle,
    bollingerLower: bands.lower,
    sigma: (bands.upper - bands.middle) / states.bollinger.width,
  };
}

/** The features as an event carries them: every number at no more than 15 significant digits. */
export function featuresForEvent(features: Features): Record<string, number> {
  return {
    close: figure(features.close),
    smaFast: figure(features.smaFast),
    smaSlow: figure(features.smaSlow),
    rsi: figure(features.rsi),
    macd: figure(features.macd),
    macdSignal: figure(features.macdSignal),
    macdHistogram: figure(features.macdHistogram),
    bollingerUpper: figure(features.bollingerUpper),
    bollingerMiddle: figure(features.bollingerMiddle),
    bollingerLower: figure(features.bollingerLower),
    sigma: figure(features.sigma),
  };
}

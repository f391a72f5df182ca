export { createSma, pushSma, type SmaState } from './sma';
export { createEma, pushEma, type EmaState } from './ema';
export { createRsi, pushRsi, type RsiState } from './rsi';
export { createMacd, pushMacd, type Macd, type MacdState } from './macd';
export { createBollinger, pushBollinger, type Bollinger, type BollingerState } from './bollinger';
export { createAtr, pushAtr, type AtrState } from './atr';
export {
  createSessionVwap,
  createVwap,
  pushSessionVwap,
  pushVwap,
  typicalPrice,
  type SessionVwapState,
  type VwapState,
} from './vwap';
export { barAt, createBarSeries, pushBar, type Bar, type BarSeriesState } from './bar-series';
export {
  pearson,
  createRollingCorrelation,
  dropBefore,
  pairCount,
  pushPair,
  windowEnds,
  type Pair,
  type RollingCorrelationState,
} from './rolling-correlation';
export { addToSum, createRollingSum, sumAt, type RollingSum } from './rolling-sum';

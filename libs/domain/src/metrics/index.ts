export { CurveSampler } from './curve-sampler';
export { DrawdownWatch } from './drawdown-watch';
export type {
  BenchmarkRecording,
  ClosedTrade,
  DayClose,
  EquityPoint,
  ObservedDrawdown,
  OpenPosition,
  PortfolioRecording,
  RecordedFill,
  RecordedFunding,
  TradeOrigin,
} from './recording';

export {
  decideDeposit,
  decideInitialPosition,
  decideLiftHalt,
  decideOpen,
  decideRaiseHalt,
  decideWithdrawal,
} from './decide-account';
export { decideFill, decideLiquidation, projectFill, type PortfolioFill } from './decide-fill';
export { evolvePortfolio, IllegalPortfolioEvent, type InstrumentLookup } from './evolve';
export { decideFunding, type Settlement } from './funding';
export { liquidationPrice } from './liquidation-price';
export {
  averagePrice,
  isHalted,
  ledgerImbalance,
  leverageOf,
  netFlows,
  reducibleQuantity,
  reservedNotional,
  reservedQuantity,
  signedQuantity,
} from './queries';
export { decideRelease, decideReservation, type ReleaseRequest, type ReservationRequest } from './reservations';
export { RISK_SCORE_BOUNDS, riskScore, type RiskFactors } from './risk-score';
export {
  portfolioHashView,
  type HaltState,
  type PortfolioConfig,
  type PortfolioState,
  type PositionState,
  type Reservation,
} from './state';
export {
  glance,
  LEVERAGE_WITHOUT_EQUITY,
  trackEquity,
  valuation,
  type Figures,
  type PositionValue,
  type Valuation,
} from './valuation';
export { createValuationTracker, drawdownFrom, type ValuationTracker } from './valuation-tracker';

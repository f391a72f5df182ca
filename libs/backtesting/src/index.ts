export { signPaperOrder } from './signing/paper-signature';
export * from './venue';
export { paperSigner } from './signing/paper-signer';
export { replay, type ReplayOptions, type ReplayResult } from './replay/replay';
export { checkParity, type ParityOptions } from './parity/parity';
export { eventDifferences, plainEvent, sameEvent } from './parity/differences';
export { explain } from './parity/explain';
export { Findings } from './parity/findings';
export { NO_SIGNER, NO_VENUE } from './parity/nobody';
export { checkVenue, type JournaledInput, type VenueJournal, type VenueParity } from './parity/venue';
export {
  ParityImpossible,
  type Divergence,
  type DivergenceKind,
  type ExplainedDivergence,
  type ParityReport,
  type PathDifference,
  type StateComparison,
} from './parity/report';
export * from './report';
export * from './backtest';
export * from './strategies';
export * from './lookahead';
export { syntheticReportInput } from './testing/synthetic-report';

export { signPaperOrder } from './signing/paper-signature';
export * from './venue';
export { paperSigner } from './signing/paper-signer';
export { replay, type ReplayOptions, type ReplayResult } from './replay/replay';
export * from './report';
export * from './backtest';
export * from './strategies';
export * from './lookahead';
export { syntheticReportInput } from './testing/synthetic-report';

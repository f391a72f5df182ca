export { signPaperOrder } from './signing/paper-signature';
export * from './venue';
export { paperSigner } from './signing/paper-signer';
export { replay, type ReplayOptions, type ReplayResult } from './replay/replay';
export * from './report';
export { syntheticReportInput } from './testing/synthetic-report';
export { createDataQuality, type DataQuality, type DataQualityReport } from './backtest/data-quality';

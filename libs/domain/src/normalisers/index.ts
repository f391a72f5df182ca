export { barBuilderConfigSchema, createBarBuilder, type BarBuilderConfig, type BarBuilderState } from './bars';
export {
  createLiquidationNormaliser,
  liquidationNormaliserConfigSchema,
  type LiquidationNormaliserConfig,
  type LiquidationNormaliserState,
} from './liquidations';
export {
  createSentimentNormaliser,
  sentimentNormaliserConfigSchema,
  type SentimentNormaliserConfig,
  type SentimentNormaliserState,
} from './sentiment';
export { minuteQuoteVolume } from './quote-volume';

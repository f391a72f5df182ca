export { hyperliquidFeedConfigSchema, type HyperliquidFeedConfig } from './config';
export { HyperliquidFeed, type HyperliquidFeedOptions } from './feed';

export { hyperliquidFeedConfigSchema, type HyperliquidFeedConfig } from './config';
export { HyperliquidFeed } from './feed';

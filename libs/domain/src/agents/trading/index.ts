export { tradingAgentConfigSchema, type TradingAgentConfig } from './config';
export { createTradingAgent } from './trading-agent';
export type { TradingAgentState } from './state';

export { liquidationAgentConfigSchema, type LiquidationAgentConfig } from './config';
export { createLiquidationAgent } from './liquidation-agent';
export type { LiquidationAgentState } from './state';

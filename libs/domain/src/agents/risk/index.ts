export { riskAgentConfigSchema, type RiskAgentConfig } from './config';
export { createRiskAgent } from './risk-agent';
export type { RiskAgentState } from './state';

export { fundingAgentConfigSchema, type FundingAgentConfig } from './config';
export { createFundingAgent } from './funding-agent';
export type { FundingAgentState } from './state';

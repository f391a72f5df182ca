export { correlationAgentConfigSchema, type CorrelationAgentConfig } from './config';
export { createCorrelationAgent } from './correlation-agent';
export type { CorrelationAgentState } from './state';

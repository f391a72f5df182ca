export { chartAgentConfigSchema, type ChartAgentConfig } from './config';
export { createChartAgent } from './chart-agent';
export type { ChartAgentState } from './state';

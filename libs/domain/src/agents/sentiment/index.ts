export { sentimentAgentConfigSchema, type SentimentAgentConfig } from './config';
export { createSentimentAgent } from './sentiment-agent';
export type { SentimentAgentState } from './state';

export { RecentDurations, type DurationSummary } from './recent-durations';
export { createLogger, type Logger, type LoggerOptions } from './logger';
export * from './metrics';

export * from './config';
export * from './health';
export * from './market-files';
export * from './telemetry';

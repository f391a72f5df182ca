export * from './config';
export * from './embedded';
export * from './health';
export * from './kafka';
export * from './market-files';
export * from './postgres';
export * from './telemetry';

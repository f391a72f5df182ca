export { ConfigError, loadConfig, type ConfigSources } from './load-config';
export { utcInstant } from './instant';
export { nearestName } from '@moon/kernel';

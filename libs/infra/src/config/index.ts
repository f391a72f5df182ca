export { ConfigError, loadConfig, type ConfigSources } from './load-config';
export { nearestName } from '@moon/kernel';

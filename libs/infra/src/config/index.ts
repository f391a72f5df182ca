export { ConfigError, loadConfig, type ConfigSources } from './load-config';
export { nearestName } from './nearest-name';

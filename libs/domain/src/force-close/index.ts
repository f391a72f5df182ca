export { createForceCloseSaga } from './force-close';
export { forceCloseConfigSchema, type ForceCloseConfig } from './config';
export type { ForceCloseState } from './state';

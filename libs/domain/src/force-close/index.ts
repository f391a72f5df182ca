export { HALT_REASON as FORCE_CLOSE } from './advance';
export { createForceCloseSaga } from './force-close';
export { forceCloseConfigSchema, type ForceCloseConfig } from './config';
export type { ForceCloseState } from './state';

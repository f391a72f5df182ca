export { executionConfigSchema, type ExecutionConfig } from './config';
export { createExecution } from './execution';
export type { ExecutionState } from './state';

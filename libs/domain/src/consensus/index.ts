export { createConsensusSaga, failOpenWindowsOnPark } from './consensus';
export { consensusConfigSchema, type ConsensusConfig } from './config';
export type { ConsensusState } from './state';

export { syntheticFeedConfigSchema, type SyntheticFeedConfig } from './config';
export { SyntheticFeed, type SyntheticFeedOptions } from './feed';
export { syntheticResume, type SyntheticResume } from './resume';

export { SyntheticFeed } from './feed';
export { syntheticResume, type SyntheticResume } from './resume';

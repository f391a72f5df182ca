export { CacheMonitor, type CacheMonitorOptions } from './cache-monitor';
export { CacheReader, type CacheReaderOptions, type ReadAnswer, type StoredAnswer } from './cache-reader';
export { CacheWriter, type CacheState, type CacheWriterOptions } from './cache-writer';
export type { ProjectionInput } from './projection';
export { Projector, type ParkedProjection, type ProjectionGap, type ProjectorOptions } from './projector';
export { storedProjections } from './stored-projections';
export {
  CacheAheadOfLog,
  rebuildProjections,
  type RebuildOptions,
  type RebuildProgress,
  type RebuildResult,
} from './rebuild';

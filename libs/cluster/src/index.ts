export { CacheGate } from './cache-gate';
export { NOT_SEEN, type CacheSeen } from './cache-seen';
export { clusterConfigSchema, type ClusterConfig } from './config';
export type { Connections } from './connections';
export type { DeadLetters } from './dead-letters';
export { headersOf, shardOfKey } from './group-host';
export { FeedPart } from './parts/feed-part';
export { chosen } from './parts/chosen';
export { groupOf } from './parts/groups';
export { ProjectionsPart } from './parts/projections-part';
export { RecorderPart } from './parts/recorder-part';
export { relayPart } from './parts/relay-part';
export { retentionPart } from './parts/retention-part';
export { readClusterOptions } from './options';
export { runClusterApp, type ClusterApp, type Part, type PartContext } from './process';
export { executionSpec, paperVenueConfig, plainSpec } from './shard-specs';
export { checkClusterParity, type ClusterParityOptions } from './parity/check';
export type { ClusterParityReport, ShardDivergence, ShardParity } from './parity/report';
export { groupNames } from './connections';
export { prepareClusterStore } from './prepare';
export { appPasswordOf, checkPasswords } from './store-access';
export { OverviewSource, shardNames, type ClusterOverview } from './overview';
export { WatchPart } from './parts/watch-part';
export { askDeployment, type OperatorCommand } from './operators';
export { openClusterReader, type ClusterReader } from './reader';
export {
  rebuildClusterProjections,
  RebuildInterrupted,
  type ClusterRebuildOptions,
  type ClusterRebuildResult,
} from './rebuild';
export { recorderLag } from './recorder-lag';

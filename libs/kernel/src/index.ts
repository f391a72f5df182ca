export type { AnyCommand, CommandType, Handler, HandlerRole, JsonObject, Outbox } from '@moon/domain';
export { canonicalHash, canonicalJson } from './core/canonical-json';
export type { EngineSnapshot } from './core/checkpoint';
export { deadlineEvent, type Deadline } from './core/deadline-table';
export { Engine, KEPT_INPUTS } from './core/engine';
export { NO_IDS, type PackedIds } from './core/recent-ids';
export type { Cause, EngineOptions, RemoteHandlers } from './core/engine-options';
export type { OpenRequest } from './core/effect-tracker';
export {
  HandlerHost,
  isFailure,
  UnguardedFailure,
  type Delivered,
  type DeliveryFailure,
  type HandlerState,
} from './core/handler-host';
export { replayArguments, type LetterAddress } from './core/operator-desk';
export { failureEvents } from './core/failure-events';
export { PARKED_FULL, type ParkedPlace } from './core/parking';
export {
  assertBatch,
  batchDoesNotFollow,
  batchOf,
  checkpointOf,
  checkpointTexts,
  entriesText,
  isSameBatch,
  JournalUnreadable,
  type StoredBatch,
} from './core/journal-codec';
export { Recovery } from './core/recovery';
export { stateHash, type HashedState } from './core/state-hash';
export { LogWriter, VolatileLog, type LogWriterOptions } from './log/log-writer';
export type { LogSink } from './ports/log-sink';
export { RunningClock, type Clock } from './ports/clock';
export type { EffectAdapter, EffectContext, TimedInput } from './ports/effect';
export * from './ports/bus';
export * from './ports/event-store';
export * from './ports/job-ledger';
export * from './ports/journal';
export * from './ports/local-journal';
export * from './ports/projection-cache';
export type { Feed, FeedSink, FeedState, FeedStatus } from './ports/feed';
export * from './ports/venue';
export type { AgentThreads } from './runtime/threads/agent-threads';
export { sourceOf, type InputSource } from './runtime/input-source';
export { LiveRuntime, type LiveOptions } from './runtime/live';
export { LockstepRuntime, type LockstepOptions } from './runtime/lockstep';
export { recover, saveCheckpoint, type AgentsStart, type RecoverOptions, type RecoveryReport } from './runtime/recover';
export { orderEffects } from './venue-link/order-effects';
export type { OrderEffectsOptions, OrderToSend } from './venue-link/order-inputs';
export { isMarketEvent, MARKET_TYPES, VenueLink } from './venue-link/venue-link';
export { ThreadedAgents, type AgentOffence, type ThreadedAgentsOptions } from './runtime/threads/threaded-agents';
export type { AgentModule, ThreadOutput } from './runtime/threads/protocol';
export { startLiveRun, type LiveRun, type LiveRunOptions } from './platform/live-run';
export { ruleBasedModelAdapter, type ModelLatency } from './adapters/rule-based-model';
export { MemoryCacheServer, MemoryProjectionCache } from './memory/memory-projection-cache';
export { MemoryEventStore } from './memory/memory-event-store';
export { assemble, executionState, type AssembleOptions } from './platform/assemble';
export { differences, reconciled } from './venue-link/reconciler';
export { builtInAgents } from './platform/built-in-agents';
export { risingNonce, startRecordedRun, type RecordedRun, type RecordedRunOptions } from './platform/recorded-run';
export { hashOf, runResult, type PortfolioResult, type RunResult } from './platform/result';
export {
  accountSpecs,
  startEvents,
  type OrderSigner,
  type StartOptions,
  type StrategyRecord,
} from './platform/start-events';
export * from './projections';
export { VolatileEventStore } from './memory/volatile-event-store';
export { closePast } from './platform/close-past';
export { nearestName } from './text/nearest-name';
export { loadAgents, type LoadedAgents, type UserAgentSpec } from './user-agents/load-agents';
export { UserAgentError } from './user-agents/module-loader';
export { groupPlans, LEAST_PARTITIONS, SHARD_COUNTS, takesOf, type GroupPlan } from './platform/groups';
export { notCompared, reconcileAll, Reconciliation } from './platform/reconcile';
export { Shard } from './runtime/sharded/shard';
export type { ShardOptions, ShardWiring } from './runtime/sharded/shard-options';
export { streamOfShard } from './runtime/sharded/stream-numbers';
export { ShardGroup } from './runtime/sharded/shard-group';
export { SharedBroadcast } from './runtime/sharded/shared-broadcast';
export { processEvent } from './platform/process-event';

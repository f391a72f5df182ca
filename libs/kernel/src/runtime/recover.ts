import type { AnyEvent } from '@moon/events';
import type { EngineSnapshot } from '../core/checkpoint';
import type { Engine } from '../core/engine';
import type { HandlerState } from '../core/handler-host';
import { Recovery } from '../core/recovery';
import type { LogSink } from '../log/log-writer';
import type { EventStore } from '../ports/event-store';

export interface RecoveryReport {
  /** Log position of the checkpoint that was loaded; 0 when there was none. */
  checkpointSeq: number;
  rehandled: number;
  /** Emitted again, but not in the log: the tail that was cut off. To be taken as inputs, in this order. */
  unlogged: AnyEvent[];
}

export interface RecoverOptions {
  store: EventStore;
  engine: Engine;
  /** Watches every logged event in order (the venue link, counters). */
  observe?: (event: AnyEvent) => void;
  /** Gives the agents of other threads their states and recorded failures, before the log is handled again. */
  prepareAgents?: (states: readonly HandlerState[], log: AsyncIterable<AnyEvent>) => Promise<void>;
  agentsIdle?: () => Promise<void>;
}

/**
 * Brings an engine to where the log ends: the latest checkpoint, then every later event handled again in log order.
 * Nothing is regenerated or re-ordered (rule 1); outputs that the log holds are recognised by their ids.
 */
export async function recover(options: RecoverOptions): Promise<RecoveryReport> {
  const { store, engine } = options;
  const checkpoint = await store.latestCheckpoint();
  const from = checkpoint?.seq ?? 0;
  if (checkpoint) {
    engine.restore(checkpoint.meta as unknown as EngineSnapshot);
    const states = checkpoint.entries.map((entry) => ({ ...(entry.state as HandlerState), handler: entry.handler, key: entry.key }));
    engine.host.restore(states);
    await options.prepareAgents?.(states, events(store, from));
  }
  const recovery = await recordedFailures(store, from);
  await loadReplayed(store, engine, from);
  engine.beginRecovery(recovery);
  let rehandled = 0;
  for await (const row of store.readLog(from)) {
    recovery.record(row.event);
    options.observe?.(row.event);
    engine.rehandle(row);
    rehandled += 1;
  }
  await options.agentsIdle?.();
  engine.endRecovery();
  return { checkpointSeq: from, rehandled, unlogged: recovery.unlogged() };
}

/** Stores everything that the engine and its handlers know, as one cut of the log. */
export async function saveCheckpoint(
  store: EventStore,
  log: LogSink,
  engine: Engine,
  remoteStates: readonly HandlerState[] = [],
): Promise<number> {
  const meta = engine.snapshot();
  const entries = [...engine.host.states(), ...remoteStates].map(({ handler, key, state, now }) => {
    return { handler, key, state: { state: structuredClone(state), now } };
  });
  await log.durable(meta.seq);
  await store.saveCheckpoint(meta.seq, entries, meta as unknown as Record<string, unknown>);
  return meta.seq;
}

async function* events(store: EventStore, from: number): AsyncIterable<AnyEvent> {
  for await (const row of store.readLog(from)) yield row.event;
}

async function recordedFailures(store: EventStore, from: number): Promise<Recovery> {
  const rows = [];
  for await (const row of store.readLog(from)) {
    if (row.event.type === 'event.skipped' || row.event.type === 'key.parked') rows.push(row);
  }
  return new Recovery(rows);
}

/** Dead letters that were replayed since the checkpoint need their original events. */
async function loadReplayed(store: EventStore, engine: Engine, from: number): Promise<void> {
  for await (const { event } of store.readLog(from)) {
    if (event.type !== 'event.replayed') continue;
    for await (const original of store.readLog(event.data.replayedSeq - 1)) {
      engine.provideOriginal(original.event);
      break;
    }
  }
}

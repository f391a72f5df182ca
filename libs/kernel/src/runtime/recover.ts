import type { AnyEvent } from '@moon/events';
import type { EngineSnapshot } from '../core/checkpoint';
import type { Engine } from '../core/engine';
import type { HandlerState } from '../core/handler-host';
import { Recovery } from '../core/recovery';
import type { LogSink } from '../log/log-writer';
import type { EventStore, LogRow } from '../ports/event-store';
import type { LaggingAgents, RecordedSkip } from './threads/protocol';

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
  /** Starts the agents of other threads with what the checkpoint and the record say, before the log is handled again. */
  startAgents?: (start: AgentsStart) => void;
  agentsIdle?: () => Promise<void>;
}

export interface AgentsStart {
  /** The log position that `states` stand for. */
  seq: number;
  states: readonly HandlerState[];
  /** Agents that were behind when the checkpoint was taken, each at its own position. */
  laggards: readonly LaggingAgents[];
  /** Deliveries that the record says were skipped. */
  skips: readonly RecordedSkip[];
}

/**
 * Brings an engine to where the log ends: the latest checkpoint, then every later event handled again in log order.
 * Nothing is regenerated or re-ordered (rule 1); outputs that the log holds are recognised by their ids.
 */
export async function recover(options: RecoverOptions): Promise<RecoveryReport> {
  const { store, engine } = options;
  const checkpoint = await store.latestCheckpoint();
  const from = checkpoint?.seq ?? 0;
  const states = (checkpoint?.entries ?? []).map((entry) => ({
    ...(entry.state as HandlerState),
    handler: entry.handler,
    key: entry.key,
  }));
  const laggards = (checkpoint?.meta.laggards ?? []) as LaggingAgents[];
  if (checkpoint) {
    engine.restore(checkpoint.meta.engine as EngineSnapshot);
    engine.host.restore(states);
  }
  const failures = await recordedFailures(store, Math.min(from, ...laggards.map((laggard) => laggard.seq)));
  const recovery = new Recovery(failures);
  options.startAgents?.({ seq: from, states, laggards, skips: skipsOf(failures) });
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
  remote: { states: readonly HandlerState[]; laggards: readonly LaggingAgents[] } = { states: [], laggards: [] },
): Promise<number> {
  const snapshot = engine.snapshot();
  const entries = [...engine.host.states(), ...remote.states].map(({ handler, key, state, now }) => {
    return { handler, key, state: structuredClone({ state, now }) };
  });
  const meta = structuredClone({ engine: snapshot, laggards: remote.laggards }) as unknown as Record<string, unknown>;
  await log.durable(snapshot.seq);
  await store.saveCheckpoint(snapshot.seq, entries, meta);
  return snapshot.seq;
}

async function recordedFailures(store: EventStore, from: number): Promise<LogRow[]> {
  const rows: LogRow[] = [];
  for await (const row of store.readLog(from)) {
    if (row.event.type === 'event.skipped' || row.event.type === 'key.parked') rows.push(row);
  }
  return rows;
}

function skipsOf(rows: readonly LogRow[]): RecordedSkip[] {
  return rows.flatMap(({ event }) => {
    if (event.type !== 'event.skipped') return [];
    return [{ handler: event.data.handler, key: event.data.handlerKey, eventId: event.data.skippedEventId }];
  });
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

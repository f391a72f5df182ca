import type { AnyEvent } from '@moon/events';
import type { EngineSnapshot } from '../core/checkpoint';
import type { Engine } from '../core/engine';
import type { HandlerState } from '../core/handler-host';
import { Recovery } from '../core/recovery';
import type { LogSink } from '../ports/log-sink';
import type { EventStore, LogRow } from '../ports/event-store';
import type { AgentsCut } from './threads/agent-threads';
import type { AgentBase, RecordedSkip } from './threads/protocol';

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
}

export interface AgentsStart {
  /** The log position of the checkpoint; what comes after it is posted. */
  seq: number;
  /** The end of the log. */
  endSeq: number;
  /** Where each agent that the checkpoint knows starts from. */
  bases: Readonly<Record<string, AgentBase>>;
  /** Deliveries that the record says were skipped. */
  skips: readonly RecordedSkip[];
}

/**
 * Brings an engine to where the log ends: the latest checkpoint, then every later event handled again in log order.
 * Nothing is regenerated or re-ordered (rule 1); outputs that the log holds are recognised by their ids, those of agents
 * in other threads whenever they come.
 */
export async function recover({ store, engine, observe, startAgents }: RecoverOptions): Promise<RecoveryReport> {
  const checkpoint = await store.latestCheckpoint();
  const from = checkpoint?.seq ?? 0;
  const states = (checkpoint?.entries ?? []).map((entry) => {
    return { ...(entry.state as Omit<HandlerState, 'handler' | 'key'>), handler: entry.handler, key: entry.key };
  });
  if (checkpoint) {
    engine.restore(checkpoint.meta.engine as EngineSnapshot);
    engine.host.restore(states);
  }
  const records = await recordsOf(store);
  const positions = (checkpoint?.meta.agents ?? {}) as AgentsCut['positions'];
  startAgents?.({
    seq: from,
    endSeq: await store.lastSeq(),
    bases: basesOf(positions, states),
    skips: skipsOf(records),
  });
  await provideOriginals(store, engine, records, from);
  const recovery = new Recovery(records.filter(({ seq }) => seq > from));
  engine.beginRecovery(recovery);
  let rehandled = 0;
  for await (const row of store.readLog(from)) {
    recovery.record(row.event);
    observe?.(row.event);
    engine.rehandle(row);
    rehandled += 1;
  }
  engine.endRecovery();
  return { checkpointSeq: from, rehandled, unlogged: recovery.unlogged() };
}

/** Stores everything that the engine, its handlers and the agents know, as one cut of the log. The engine's queue is empty. */
export async function saveCheckpoint(
  store: EventStore,
  log: LogSink,
  engine: Engine,
  agents?: AgentsCut,
): Promise<number> {
  const snapshot = engine.snapshot();
  const entries = [...engine.host.states(), ...(agents?.states ?? [])].map(({ handler, key, state, now }) => {
    return { handler, key, state: structuredClone({ state, now }) };
  });
  const meta = structuredClone({ engine: snapshot, agents: agents?.positions ?? {} }) as unknown as Record<
    string,
    unknown
  >;
  await log.durable(snapshot.seq);
  await store.saveCheckpoint(snapshot.seq, entries, meta);
  return snapshot.seq;
}

const RECORDS_A_PAGE = 5_000;

/** All records of failures and of what was delivered again. */
async function recordsOf(store: EventStore): Promise<LogRow[]> {
  const rows: LogRow[] = [];
  let cursor: string | undefined;
  do {
    const page = await store.query({
      types: ['event.skipped', 'key.parked', 'event.replayed'],
      limit: RECORDS_A_PAGE,
      cursor,
    });
    rows.push(...page.rows);
    cursor = page.cursor ?? undefined;
  } while (cursor !== undefined);
  return rows;
}

function basesOf(positions: AgentsCut['positions'], states: readonly HandlerState[]): Record<string, AgentBase> {
  const bases: Record<string, AgentBase> = {};
  for (const [agent, position] of Object.entries(positions)) {
    bases[agent] = { ...position, states: states.filter(({ handler }) => handler === agent) };
  }
  return bases;
}

function skipsOf(rows: readonly LogRow[]): RecordedSkip[] {
  return rows.flatMap(({ event }) => {
    if (event.type !== 'event.skipped') return [];
    return [{ handler: event.data.handler, key: event.data.handlerKey, seq: event.data.skippedSeq }];
  });
}

/** Dead letters that were replayed since the checkpoint need their original events. */
async function provideOriginals(
  store: EventStore,
  engine: Engine,
  records: readonly LogRow[],
  from: number,
): Promise<void> {
  for (const { seq, event } of records) {
    if (event.type !== 'event.replayed' || seq <= from) continue;
    for await (const original of store.readLog(event.data.replayedSeq - 1, 1)) engine.provideOriginal(original.event);
  }
}

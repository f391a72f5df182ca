import type { AnyEvent, EmitData, EventType, JsonObject } from '@moon/events';
import type { AnyCommand, CommandType } from './commands';

/** agent: emits opinions · saga: owns a stream and deadlines · aggregate: decides commands · projection: folds a read model · normaliser: raw source event to document event. */
export type HandlerRole = 'agent' | 'saga' | 'aggregate' | 'projection' | 'normaliser';

/**
 * A deterministic state machine over events: the only shape in which the platform knows a rule.
 *
 * A runtime (local, replay, later Kafka) keeps one state per key, delivers events in their recorded order and turns
 * what the handler puts into the outbox into events, commands and deadlines. A handler is synchronous, does no I/O,
 * reads no clock and no randomness: its time is `event.occurredAt`. Handled twice in the same order it gives the same outputs.
 *
 * `S` is plain JSON (no Map, Date, bigint, undefined or class): it is checkpointed, cloned and hashed.
 */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- a runtime holds handlers of many states in one list
export interface Handler<S = any> {
  /** 'agent/risk', 'saga/consensus', 'execution', 'projection/portfolio' …; also the consumer group. */
  readonly name: string;
  readonly role: HandlerRole;
  /** What its keys are: tokens ('BTC') or portfolio names. */
  readonly partitionedBy: 'token' | 'portfolio';
  /** Events whose envelope key is this handler's key. `deadline.reached` is delivered without being listed. */
  readonly consumes: readonly EventType[];
  /** Delivered to every existing key of this handler, e.g. prices to every portfolio. */
  readonly broadcast?: readonly EventType[];
  /** Keys that every shard of it has, from its beginning: they hear what is broadcast before anybody sends them anything. */
  readonly sharedKeys?: readonly string[];
  /** Commands that it decides; routed by `command.key`. */
  readonly commands?: readonly CommandType[];
  /** Its outputs are appended to its own stream in the transaction that records the input. */
  readonly durable?: boolean;
  initialState(key: string): S;
  /** Mutates `state` in place. May throw: the runtime then applies rule 25 to the event. */
  handle(event: AnyEvent, state: S, out: Outbox): void;
  execute?(command: AnyCommand, state: S, out: Outbox): void;
  /** Called once when a poisoned event parks this key (rule 25), with the state before that event: what can be ended is ended here. */
  parked?(state: S, out: Outbox): void;
  /** What the state hash sees (without versions, event ids, attempts, recovery path: rule 6). Default: the whole state. */
  hashView?(state: S): unknown;
}

/** Where a handler puts what follows from the event or command in its hands. */
export interface Outbox {
  /** `occurredAt` (epoch ms) of what is being handled; it never runs backwards within a handler. */
  readonly now: number;
  readonly key: string;
  /** `event_type` is filled in, nothing else. `key` defaults to the catalog's key rule for the type. */
  emit<T extends EventType>(type: T, data: EmitData<T>, key?: string): void;
  /** Decided right after this handler returns by the handler that owns the command's type, with the same causation. */
  send(command: AnyCommand): void;
  /**
   * A durable deadline at `at` (epoch ms): it comes back as `deadline.reached {handler, key, name, dueAt, data}` to this
   * handler and key only. The same name re-schedules.
   */
  schedule(name: string, at: number, data?: JsonObject): void;
  /** Forgets the deadline of that name; unknown names are ignored. */
  cancel(name: string): void;
}

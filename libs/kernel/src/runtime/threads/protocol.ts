import type { AnyEvent } from '@moon/events';
import type { Cause } from '../../core/engine-options';
import type { Delivered, HandlerState } from '../../core/handler-host';

/** How a thread builds its agents: a module that exports `createAgents(config)`. */
export interface AgentModule {
  /** Path of a compiled module. */
  path: string;
  config: unknown;
  /** A user's module: of any kind that `loadAgents` takes, and checked by it. Else a compiled one of the platform. */
  isUsers?: boolean;
  /** Names of the agents of that module that live in this thread; all when left out. */
  only?: readonly string[];
  /** The thread gives way to every other one: where users' agents and offenders live. */
  givesWay?: boolean;
}

/** How far an agent has come in the log. */
export interface AgentPosition {
  /** Its state stands for everything up to here. */
  seq: number;
  /** What it made of events up to here has been taken into the log; made again, it is dropped. At least `seq`. */
  silentUpTo: number;
}

/** What an agent starts from: its states at a position of the log. */
export interface AgentBase extends AgentPosition {
  states: readonly HandlerState[];
}

/** A delivery that the record says was never made (rule 25): the event at position `seq`, to this handler and key. */
export interface RecordedSkip {
  handler: string;
  key: string;
  seq: number;
}

export interface ThreadItem {
  seq: number;
  event: AnyEvent;
  /** A dead letter that is delivered again: to the handler and key that this record names, and to no other. */
  replay?: Extract<AnyEvent, { type: 'event.replayed' }>;
}

export type ToThread =
  | { kind: 'start'; bases: ReadonlyArray<AgentBase & { agent: string }>; skips: readonly RecordedSkip[] }
  /** `upTo`: nothing that the thread's agents listen to lies between the last item and this position. */
  | { kind: 'events'; items: readonly ThreadItem[]; upTo: number }
  | { kind: 'ask'; id: number; what: 'states' | 'hashViews'; upTo: number };

/** What one event made in one agent; `seq` is the event's. */
export interface ThreadOutput {
  seq: number;
  cause: Cause;
  delivered: Delivered;
}

/** States and the position that they stand for. */
export interface ThreadCut {
  seq: number;
  states: HandlerState[];
}

export type FromThread =
  /** `threadId`: the kernel's number of the thread, where it has one. */
  | { kind: 'ready'; handlers: Array<{ name: string; types: string[] }>; threadId: number | null }
  /** A key that is met for the first time: from here on it is known by its index. */
  | { kind: 'key'; key: string }
  | { kind: 'done'; seq: number; count: number; outputs: ThreadOutput[] }
  | { kind: 'answer'; id: number; value: unknown };

/**
 * What a thread is doing, readable while it is busy: index of the handler (−1 = idle) and of the key, the event's seq,
 * and the wall time at which it began, ms.
 */
export const PROGRESS = { handler: 0, key: 1, seq: 2, since: 3, length: 4 } as const;

/** What an agent has done since its thread began (AGT-1), behind the progress in the same memory: one block an agent. */
export const METRICS = { handled: 0, emitted: 1, failed: 2, busyMs: 3, length: 4 } as const;
/** Agents in one thread at most. */
export const MOST_AGENTS = 64;

import type { AnyEvent } from '@moon/events';
import type { Cause } from '../../core/engine';
import type { Delivered, HandlerState } from '../../core/handler-host';

/** How a thread builds its agents: a module that exports `createAgents(config)`. */
export interface AgentModule {
  /** Path of a compiled module. */
  path: string;
  config: unknown;
  /** Names of the agents of that module that live in this thread; all when left out. */
  only?: readonly string[];
}

/** A delivery that the record says was never made (rule 25). */
export interface RecordedSkip {
  handler: string;
  key: string;
  eventId: string;
}

/** Agents that had not come to the position of a checkpoint: their states at a position of their own. */
export interface LaggingAgents {
  names: readonly string[];
  seq: number;
  states: readonly HandlerState[];
}

export interface ThreadItem {
  seq: number;
  event: AnyEvent;
  /** Only to this handler and key: a dead letter that is replayed. */
  only?: { handler: string; key: string };
}

export type ToThread =
  | { kind: 'restore'; states: HandlerState[]; skips: RecordedSkip[] }
  | { kind: 'events'; items: ThreadItem[] }
  | { kind: 'ask'; id: number; what: 'states' | 'hashViews' };

/** What one event made in one agent; `seq` is the event's. */
export interface ThreadOutput {
  seq: number;
  cause: Cause;
  delivered: Delivered;
}

export type FromThread =
  | { kind: 'ready'; handlers: Array<{ name: string; types: string[] }> }
  | { kind: 'done'; seq: number; count: number; outputs: ThreadOutput[] }
  | { kind: 'answer'; id: number; value: unknown }
  | { kind: 'broken'; error: string };

/**
 * What a thread is doing, readable while it is busy: index of the handler (−1 = idle), the event's seq, and the wall
 * time at which it began, ms.
 */
export const PROGRESS = { handler: 0, seq: 1, since: 2, length: 3 } as const;

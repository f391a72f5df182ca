import type { JsonObject } from '@moon/events';
import type { EventStore } from '@moon/kernel';
import { GLOBAL, type HaltInForce } from '../../store/halts-in-force';

/** Source of the halts that operators raise; an operator lifts no other (rule 18). */
export const OPERATOR = 'operator';

/** What came of one request. */
export interface HaltResult {
  reason: string;
  /** A sentence. */
  message: string;
  /** The `operator.command` that the request became; null while it waits for the platform to be started. */
  eventId?: string | null;
}

/** Where a halt, or its lifting, is asked for: a run of one process, or a deployment of many. */
export interface HaltDesk {
  /** Name of the run. */
  name: string;
  events: Pick<EventStore, 'query'>;
  /** Halts of a scope that are in force, be it in one shard only. */
  halts(key: string): Promise<HaltInForce[]>;
  /** Whether an operator's halt stands wherever it is to. */
  stands(key: string, reason: string): Promise<boolean>;
  /** @throws CommandFailed when it was not done */
  ask(command: 'halt' | 'lift', key: string, reason: string): Promise<HaltResult>;
}

export const HALT_EFFECT = { halt: 'halt.raised', lift: 'halt.lifted' } as const;

export const haltArguments = (key: string, reason: string): JsonObject =>
  key === GLOBAL ? { scope: 'global', reason } : { scope: 'portfolio', portfolio: key, reason };

export const nameOfScope = (key: string): string => (key === GLOBAL ? 'Trading of all portfolios' : `Portfolio ${key}`);

export const doneSentence = (command: 'halt' | 'lift', key: string, reason: string): string =>
  command === 'halt'
    ? `${nameOfScope(key)} is halted: ${reason}.`
    : `${nameOfScope(key)}: the halt "${reason}" is lifted.`;

import type { RemoteHandlers } from '../../core/engine-options';
import type { HandlerState } from '../../core/handler-host';
import type { AgentPosition } from './protocol';

/** Where the agents of other threads stand, to be stored in one cut with the engine. */
export interface AgentsCut {
  positions: Record<string, AgentPosition>;
  states: HandlerState[];
}

/** Agents in threads of their own, as the live runtime sees them (rule 31). */
export interface AgentThreads extends RemoteHandlers {
  /** Sends what has been posted since the last flush: batches cross threads, not single events. */
  flush(): void;
  /** Resolves with true when every posted event has been handled and its outputs were accepted, with false after `withinMs` of wall time. */
  idle(withinMs: number): Promise<boolean>;
  /** Resolves when what has been posted by now is answered: by agents that are not further behind than `withinMs`, and within that. */
  heard(withinMs: number): Promise<void>;
}

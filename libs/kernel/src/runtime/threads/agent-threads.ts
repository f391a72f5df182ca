import type { HandlerState } from '../core/handler-host';
import type { RemoteHandlers } from '../core/engine';

/** Agents in threads of their own, as the live runtime sees them (rule 31). */
export interface AgentThreads extends RemoteHandlers {
  /** Sends what has been posted since the last flush: batches cross threads, not single events. */
  flush(): void;
  /** Resolves when every posted event has been handled and its outputs were accepted. */
  idle(): Promise<void>;
  /** States of all agents; only meaningful when idle. */
  states(): Promise<HandlerState[]>;
  /** The agents' views for the state hash; only meaningful when idle. */
  hashViews(): Promise<Record<string, unknown>>;
  stop(): Promise<void>;
}

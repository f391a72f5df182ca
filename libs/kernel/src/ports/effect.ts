import type { AnyEvent, EventType } from '@moon/events';

/** An input event that an adapter made, and when (run time, ms) it reaches the platform. */
export interface TimedInput {
  event: AnyEvent;
  /** Run time at which the input may be handled; never before the request's own time. */
  availableAt: number;
}

/** What an adapter is told about the request that it performs. */
export interface EffectContext {
  /** Run time, ms. */
  now: number;
  /** True when the request was found without its result after a restart: look before you act. */
  recovering: boolean;
}

/**
 * The edge of the machine: consumes a request event, acts on the outside world, and answers with input events.
 * An effect runs only after its request is durable in the log (an urgent one: or kept on this machine), and in the order
 * of the requests.
 */
export interface EffectAdapter {
  readonly name: string;
  /** Request types that this adapter performs. */
  readonly performs: readonly EventType[];
  /** True when it touches nothing outside the process (a rule-based model): it need not wait for the log. */
  readonly isPure?: boolean;
  /** True for a request that must not wait for a store that is away: it is performed once it is kept on this machine. */
  isUrgent?(request: AnyEvent): boolean;
  /** 'ordered': one request after the other (a venue); 'parallel': each on its own (a model). */
  readonly concurrency: 'ordered' | 'parallel';
  /**
   * Performs one request. It answers failure with an event too; a throw is a defect and stops the run.
   * An empty answer means that the result comes by another way (a venue's report), null that none will ever come.
   */
  perform(request: AnyEvent, context: EffectContext): Promise<TimedInput[] | null> | TimedInput[] | null;
  /** Types among which `settles` finds results; it is asked of no other. */
  readonly settledBy: readonly EventType[];
  /** The key of the request that `event` settles (see `requestKey`), or null when it settles none. */
  settles(event: AnyEvent): string | null;
  /** The key under which an open request is remembered. */
  requestKey(request: AnyEvent): string;
}

import type { AnyEvent } from '@moon/events';
import type { Handler } from '@moon/domain';
import type { LogSink } from '../ports/log-sink';
import type { EffectAdapter } from '../ports/effect';
import type { OpenRequest } from './effect-tracker';
import type { DeliveryFailure } from './handler-host';
import type { ParkedPlace } from './parking';

/** Handlers that live in other threads: they get every event in log order, and answer with events some time later. */
export interface RemoteHandlers {
  post(seq: number, event: AnyEvent): void;
  /** Delivers a dead letter again to one handler and key; `record` is its `event.replayed`. */
  redeliver(seq: number, record: Extract<AnyEvent, { type: 'event.replayed' }>, original: AnyEvent): void;
}

/** As much of a cause as its effects inherit. */
export type Cause = Pick<AnyEvent, 'id' | 'correlationId' | 'headers'>;

/** What lives beside the engine and must be cut with it: its state is part of the engine's snapshot. Plain JSON. */
export interface Companion {
  readonly name: string;
  snapshot(): unknown;
  restore(state: unknown): void;
}

export interface EngineOptions {
  handlers: readonly Handler[];
  /** False: a handler that throws ends the run (see `HandlerHost`). */
  isGuarded?: boolean;
  log: LogSink;
  adapters?: readonly EffectAdapter[];
  remote?: RemoteHandlers;
  companions?: readonly Companion[];
  /** Name of the shard that it drives: operators' commands about dead letters of this one are carried out. */
  shard?: string;
  /**
   * True: an input is sequenced only when everything before it has been dispatched. Then the order of the inputs alone
   * says in which order everything was handled: what a journal of inputs needs (rule 1).
   */
  isLockstep?: boolean;
  /** What becomes of an emitted event before it is sequenced: see `EmittedVersions.settle`. */
  settle?: (event: AnyEvent) => AnyEvent;
  /** Every event as it is sequenced (not while recovering). */
  onEvent?: (event: AnyEvent, seq: number) => void;
  /** Every new request to the outside, when its event is handled (not while recovering). */
  onRequest?: (request: OpenRequest) => void;
  onFailure?: (failure: DeliveryFailure) => void;
  /** Told once when so much waits for a key that stands still that opinions and market data are given up from there on. */
  onParkedFull?: (place: ParkedPlace) => void;
}

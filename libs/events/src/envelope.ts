import type { Static } from '@sinclair/typebox';
import type { DEFINITIONS } from './types';

type Definitions = typeof DEFINITIONS;

/** The name of an event type, e.g. `price.tick`. */
export type EventType = keyof Definitions;

/** The data of an event, `event_type` included, in the current version of its type. */
export type EventData<T extends EventType> = Static<Definitions[T]['schema']>;

/** The data of an event as it is given to an outbox, which fills in `event_type`. */
export type EmitData<T extends EventType> = Omit<EventData<T>, 'event_type'>;

/** Facts about the delivery that are part of no hash: the kind of run, warm-up, trace context. */
export interface EventHeaders {
  mode?: 'live' | 'synthetic' | 'recorded';
  warmup?: true;
  [name: string]: string | number | boolean | undefined;
}

/** An event with its metadata. `correlationId` is the root event's id, `causationId` the direct cause's. */
export interface EventEnvelope<T extends EventType = EventType> {
  id: string;
  type: T;
  /** Version of the schema of `data`. */
  schemaVersion: number;
  /** Who wrote it: a feed, a venue, a handler. */
  source: string;
  /** What orders it: a token, a portfolio, … (see the catalog's key rule). */
  key: string;
  /** Epoch milliseconds UTC. */
  occurredAt: number;
  correlationId: string;
  causationId: string | null;
  data: EventData<T>;
  headers?: EventHeaders;
}

/** Every event, told apart by `type`. */
export type AnyEvent = { [T in EventType]: EventEnvelope<T> }[EventType];

import type { AnyEvent, JsonObject } from '@moon/events';

/** An event as projections take it: from the log, or from the broker with what its headers say of its stream. */
export interface ProjectionInput {
  event: AnyEvent;
  /** Of a store-first event. */
  streamId?: string;
  /** 1 for the first event of the stream. */
  version?: number;
}

/** What readers find under a key. */
export interface View {
  key: string;
  value: JsonObject;
}

/**
 * A view that is folded from one stream. `S` is what the fold keeps of a stream.
 */
export interface StreamView<S = unknown> {
  /** Whether a stream is one of these. */
  reads(streamId: string): boolean;
  /** The state after one more event of the stream; the same object when it changes nothing that is shown. */
  evolve(state: S | undefined, event: AnyEvent): S | undefined;
  /** null = there is nothing to be shown of this stream yet. */
  show(state: S, streamId: string): View | null;
}

/** The data of an event without what its type says already, as plain JSON that is not shared with it. */
export function factsOf(event: AnyEvent): JsonObject {
  const { event_type: _type, ...facts } = event.data;
  return { ...(facts as unknown as JsonObject), eventId: event.id };
}

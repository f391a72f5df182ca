import { defaultKey, inputId, CATALOG, type AnyEvent, type EmitData, type EventType } from '@moon/events';

export interface ProcessEventContext {
  /** Run time, ms. */
  at: number;
  /** The log's present end: it makes two equal events of one instant different ones. */
  seq: number;
  headers: AnyEvent['headers'];
}

/** An event that the process itself puts into its log: it has no cause, and its id is derived from its place. */
export function processEvent<T extends EventType>(
  type: T,
  data: EmitData<T>,
  { at, seq, headers }: ProcessEventContext,
): AnyEvent {
  const full = { event_type: type, ...data };
  const key = defaultKey(type, full as never);
  const id = inputId({
    source: 'process',
    kind: type,
    instrument: key,
    venueTime: at,
    values: [seq, JSON.stringify(data)],
  });
  return {
    ...{ id, type, schemaVersion: CATALOG[type].schemaVersion, source: 'process', key, occurredAt: at },
    ...{ correlationId: id, causationId: null, data: full, headers },
  } as unknown as AnyEvent;
}

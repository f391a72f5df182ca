import {
  CATALOG,
  defaultKey,
  inputId,
  validateEvent,
  type AnyEvent,
  type EmitData,
  type EventType,
} from '@moon/events';

/** Who speaks, and how: the same for all events of a feed. */
export interface Speaker {
  /** `source` of the envelope, 'feed/<name>'. */
  source: string;
  headers: NonNullable<AnyEvent['headers']>;
}

/** What makes an input what it is; its id follows from it (rule 3). */
export interface Identity {
  /** The venue, and for made-up data its seed. */
  source: string;
  /** Event type, with what tells its kinds apart. */
  kind: string;
  instrument: string;
  values: readonly (string | number)[];
}

/**
 * An input event of a feed, checked against its schema.
 * @throws EventRefused what the schema does not allow
 */
export function feedEvent<T extends EventType>(
  speaker: Speaker,
  type: T,
  data: EmitData<T> & { timestamp: number },
  identity: Identity,
): AnyEvent {
  const id = inputId({ ...identity, venueTime: data.timestamp });
  const whole = { event_type: type, ...data };
  return validateEvent({
    id,
    type,
    schemaVersion: CATALOG[type].schemaVersion,
    source: speaker.source,
    key: defaultKey(type, whole),
    occurredAt: data.timestamp,
    correlationId: id,
    causationId: null,
    data: whole,
    headers: speaker.headers,
  });
}

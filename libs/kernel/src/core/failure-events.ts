import { derivedId, type AnyEvent } from '@moon/events';
import type { Handler } from '@moon/domain';
import type { DeliveryFailure } from './handler-host';

/**
 * The events that record a failed delivery: the error, and that the event was skipped (agents) or the key parked.
 *
 * @param seq the position at which the delivery was due
 * @param cause the failed event, or the `event.replayed` or `key.unparked` that delivered it again
 */
export function failureEvents(
  failure: DeliveryFailure,
  handler: Handler,
  seq: number,
  cause: AnyEvent = failure.event,
): AnyEvent[] {
  const { event, error, key } = failure;
  const where = { handler: handler.name, handlerKey: key };
  const message = `${error.name}: ${error.message}`.slice(0, 2_000);
  const at = cause.occurredAt;
  const events: AnyEvent[] = [
    kernelEvent(cause, 'agent.error', `${handler.name}/${key}/error`, key, {
      agent: handler.name,
      handlerKey: key,
      eventId: event.id,
      failedType: event.type,
      error: message,
      attempts: 1,
      timestamp: at,
    }),
  ];
  if (handler.role === 'agent') {
    events.push(skippedEvent({ ...where, event, seq, reason: 'error', error: message, cause }));
  } else {
    const parked = { ...where, eventId: event.id, seq, error: message, timestamp: at };
    events.push(kernelEvent(cause, 'key.parked', `${handler.name}/${key}/parked`, key, parked));
  }
  return events;
}

export interface SkippedDelivery {
  handler: string;
  handlerKey: string;
  event: AnyEvent;
  /** The position at which the delivery was due. */
  seq: number;
  reason: 'error' | 'timeout';
  error: string;
  /** The event itself, or the `event.replayed` that delivered it again. */
  cause: AnyEvent;
}

/** Records that an agent never handles an event: a dead letter, until an `event.replayed` delivers it again. */
export function skippedEvent({ handler, handlerKey, event, seq, reason, error, cause }: SkippedDelivery): AnyEvent {
  const ids = { skippedEventId: event.id, skippedSeq: seq };
  const data = { handler, handlerKey, ...ids, reason, error, timestamp: cause.occurredAt };
  return kernelEvent(cause, 'event.skipped', `${handler}/${handlerKey}/skipped`, handlerKey, data);
}

function kernelEvent(
  cause: AnyEvent,
  type: string,
  emitter: string,
  key: string,
  data: Record<string, unknown>,
): AnyEvent {
  return {
    id: derivedId(cause.id, emitter, 0),
    type,
    schemaVersion: 1,
    source: 'kernel',
    key,
    occurredAt: cause.occurredAt,
    correlationId: cause.correlationId,
    causationId: cause.id,
    data: { event_type: type, ...data },
    headers: cause.headers,
  } as unknown as AnyEvent;
}

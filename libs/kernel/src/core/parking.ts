import { derivedId, type AnyEvent } from '@moon/events';
import type { AnyCommand, Handler } from '@moon/domain';
import type { DeliveryFailure } from './handler-host';

/** A delivery that waits behind a poisoned one. */
export interface WaitingDelivery {
  event: AnyEvent;
  command?: AnyCommand;
  sender?: string;
}

/** A key that stopped at a poisoned event; what came after it waits in order. */
export interface ParkedKey {
  handler: string;
  key: string;
  eventId: string;
  seq: number;
  waiting: WaitingDelivery[];
}

/** Parked keys of aggregates, sagas and projections (rule 25). Plain data, part of the checkpoint. */
export class Parking {
  private readonly parked = new Map<string, ParkedKey>();

  get(handler: string, key: string): ParkedKey | undefined {
    return this.parked.get(slot(handler, key));
  }

  park(handler: string, key: string, delivery: WaitingDelivery, seq: number): void {
    const parked = this.get(handler, key);
    if (parked) parked.waiting.push(delivery);
    else this.parked.set(slot(handler, key), { handler, key, eventId: delivery.event.id, seq, waiting: [delivery] });
  }

  unpark(handler: string, key: string): WaitingDelivery[] {
    const parked = this.get(handler, key);
    this.parked.delete(slot(handler, key));
    return parked?.waiting ?? [];
  }

  list(): ParkedKey[] {
    return [...this.parked.values()];
  }

  restore(keys: readonly ParkedKey[]): void {
    this.parked.clear();
    for (const key of keys) this.parked.set(slot(key.handler, key.key), key);
  }
}

/** The events that record a failed delivery: the error, and that the event was skipped (agents) or the key parked. */
export function failureEvents(failure: DeliveryFailure, handler: Handler, seq: number): AnyEvent[] {
  const { event, error, key } = failure;
  const where = { handler: handler.name, handlerKey: key };
  const message = `${error.name}: ${error.message}`.slice(0, 2_000);
  const at = event.occurredAt;
  const events: AnyEvent[] = [
    kernelEvent(event, 'agent.error', `${handler.name}/${key}/error`, 'system', {
      agent: handler.name,
      handlerKey: key,
      eventId: event.id,
      failedType: event.type,
      error: message,
      attempts: 1,
      timestamp: at,
    }),
  ];
  if (handler.role === 'agent') events.push(skippedEvent(event, seq, where, 'error', message));
  else {
    const parked = { ...where, eventId: event.id, seq, error: message, timestamp: at };
    events.push(kernelEvent(event, 'key.parked', `${handler.name}/${key}/parked`, key, parked));
  }
  return events;
}

/** Records that an agent never handles an event: a dead letter, until an `event.replayed` delivers it again. */
export function skippedEvent(
  event: AnyEvent,
  seq: number,
  where: { handler: string; handlerKey: string },
  reason: 'error' | 'timeout',
  error: string,
): AnyEvent {
  const data = { ...where, skippedEventId: event.id, skippedSeq: seq, reason, error, timestamp: event.occurredAt };
  return kernelEvent(event, 'event.skipped', `${where.handler}/${where.handlerKey}/skipped`, where.handlerKey, data);
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

function slot(handler: string, key: string): string {
  return `${handler}\u0000${key}`;
}

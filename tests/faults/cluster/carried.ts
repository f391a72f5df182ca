import { createHash } from 'node:crypto';
import type { AnyEvent, EventType, TopicName } from '@moon/events';
import { canonicalJson, type BusMessage, type BusPosition } from '@moon/kernel';

/** What the broker carries of one event. */
export interface Carried {
  digest: string;
  type: EventType;
  key: string;
  cause: string | null;
  /** Of its first copy. */
  producer: string | null;
  /** Shards that said it: what opens portfolios is the same for those that are opened at one instant. */
  producers: Set<string>;
  /** Where it stands first. */
  topic: TopicName;
  partition: number;
  offset: number;
  /** Where it stands again. */
  copies: BusPosition[];
}

/** Digest of what an event says; headers, which say how it travelled, left out. */
export function digestOf({ id, type, schemaVersion, source, key, occurredAt, ...rest }: AnyEvent): string {
  const { correlationId, causationId, data } = rest;
  const content = { id, type, schemaVersion, source, key, occurredAt, correlationId, causationId, data };
  return createHash('sha1').update(canonicalJson(content)).digest('base64url').slice(0, 16);
}

/** Everything that the brokers carry, by event id. */
export class CarriedEvents {
  readonly events = new Map<string, Carried>();
  /** One sentence for each id that came with two contents. */
  readonly conflicts: string[] = [];

  note({ event, topic, partition, offset, producer }: BusMessage): void {
    const digest = digestOf(event);
    const known = this.events.get(event.id);
    if (!known) {
      const { type, key, causationId: cause } = event;
      const producers = new Set(producer === null ? [] : [producer]);
      this.events.set(event.id, {
        digest,
        type,
        key,
        cause,
        producer,
        producers,
        topic,
        partition,
        offset,
        copies: [],
      });
      return;
    }
    if (producer !== null) known.producers.add(producer);
    known.copies.push({ topic, partition, offset });
    if (known.digest !== digest)
      this.conflicts.push(`${event.type} ${event.id} has two contents (${topic}/${partition}, offset ${offset})`);
  }
}

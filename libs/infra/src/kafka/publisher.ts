import { CATALOG, toCloudEvent, type AnyEvent } from '@moon/events';
import type { EventPublisher } from '@moon/kernel';
import { RecordSender, type KafkaRecord, type PublisherStats, type SenderOptions } from './record-sender';

/** Names the shard that published a message; no `moon_` header, since those are the event's own. */
export const PRODUCER_HEADER = 'moonshard';

/** The message of an event: CloudEvents in binary mode, in the topic that the catalog gives its type. */
export function recordOf(event: AnyEvent, producer?: string): KafkaRecord {
  const { key, headers, value } = toCloudEvent(event);
  if (producer !== undefined) headers[PRODUCER_HEADER] = producer;
  return { topic: CATALOG[event.type].topic, key, headers, value };
}

/** Events on their topics. */
export class KafkaPublisher implements EventPublisher {
  private readonly sender: RecordSender;

  constructor(options: SenderOptions) {
    this.sender = new RecordSender(options);
  }

  publish(events: readonly AnyEvent[], producer?: string): Promise<void> {
    return this.sender.send(events.map((event) => recordOf(event, producer)));
  }

  get backlog(): number {
    return this.sender.backlog;
  }

  /** True while a batch has failed three times and is not acknowledged. */
  get isAway(): boolean {
    return this.sender.isAway;
  }

  stats(): PublisherStats {
    return this.sender.stats();
  }

  stop(): Promise<void> {
    return this.sender.stop();
  }
}

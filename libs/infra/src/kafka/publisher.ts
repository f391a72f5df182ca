import type { AnyEvent } from '@moon/events';
import type { EventPublisher } from '@moon/kernel';
import { recordOf } from './record';
import { RecordSender, type PublisherStats, type SenderOptions } from './record-sender';

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

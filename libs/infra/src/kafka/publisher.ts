import type { AnyEvent } from '@moon/events';
import type { EventPublisher } from '@moon/kernel';
import { recordOf } from './record';
import { RecordSender, type PublisherStats, type SenderOptions } from './record-sender';

export interface PublisherOptions extends SenderOptions {
  /** The event at the version at which it leaves: see `EmittedVersions.wire`. */
  wire?: (event: AnyEvent) => AnyEvent;
}

/** Events on their topics. */
export class KafkaPublisher implements EventPublisher {
  private readonly sender: RecordSender;

  constructor(private readonly options: PublisherOptions) {
    this.sender = new RecordSender(options);
  }

  publish(events: readonly AnyEvent[], producer?: string): Promise<void> {
    const { wire } = this.options;
    return this.sender.send(events.map((event) => recordOf(wire ? wire(event) : event, producer)));
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

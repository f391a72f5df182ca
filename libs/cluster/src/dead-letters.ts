import type { Logger } from '@moon/infra';
import type { RefusedMessage } from '@moon/kernel';

/** Where messages go that are none, so that the position may move on without losing them. */
export interface DeadLetters {
  /** Resolves when it is kept. */
  keep(group: string, message: RefusedMessage): Promise<void>;
}

/** Says every message that could not be read, and where it stands on the broker. */
export class LoggedDeadLetters implements DeadLetters {
  constructor(private readonly logger: Logger) {}

  keep(group: string, message: RefusedMessage): Promise<void> {
    const { topic, partition, offset, reason, detail } = message;
    this.logger.error({ group, topic, partition, offset, reason, detail }, 'a message could not be read and is passed over');
    return Promise.resolve();
  }
}

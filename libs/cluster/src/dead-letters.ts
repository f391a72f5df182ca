import { DeadLetters as GroupDeadLetters, type KafkaSettings, type Logger, type ProcessMetrics } from '@moon/infra';
import type { RefusedMessage } from '@moon/kernel';

/** Where messages go that are none, so that the position may move on without losing them: a topic for each group. */
export class DeadLetters {
  private readonly groups = new Map<string, GroupDeadLetters>();

  constructor(
    private readonly settings: KafkaSettings,
    private readonly logger: Logger,
    private readonly metrics: Pick<ProcessMetrics, 'count'>,
  ) {}

  /** Resolves when every replica in sync holds it. */
  async keep(group: string, message: RefusedMessage): Promise<void> {
    const { topic, partition, offset, reason, detail } = message;
    const context = { group, topic, partition, offset, reason, detail };
    this.logger.error(context, 'a message was refused; it is kept as a dead letter');
    let letters = this.groups.get(group);
    if (!letters) {
      letters = new GroupDeadLetters({ settings: this.settings, groupId: group, logger: this.logger });
      this.groups.set(group, letters);
    }
    await letters.bury(message);
    this.metrics.count('moon_dead_letters_total', { group });
  }

  async close(): Promise<void> {
    await Promise.all([...this.groups.values()].map((letters) => letters.stop()));
  }
}

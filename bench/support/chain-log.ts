import { fromCloudEvent, type AnyEvent, type TopicName } from '@moon/events';
import { kafkaClient, type KafkaSettings } from '@moon/infra';

/** Topics of a decision's way from the end of a bar to the venue, and of alerts. */
const CHAIN_TOPICS: readonly TopicName[] = [
  'market.bars',
  'inference.requests',
  'inference.results',
  'signal.generated',
  'consensus.events',
  'risk.alerts',
  'order.events',
  'trade.events',
  'venue.reports',
];
const MOST_STEPS = 20;

/** An event with the stamp of its first record: wall time at which its producer built the request that carried it, ms. */
export interface Stamped {
  event: AnyEvent;
  atMs: number;
}

/** The events of these topics as the brokers keep them, and how one led to another. */
export class ChainLog {
  private readonly byId = new Map<string, Stamped>();
  private readonly submittedByOrder = new Map<string, Stamped>();
  private readonly openingSignals = new Map<string, string>();

  /** Reads all of them, from the beginning to what is there now. */
  static async read(settings: KafkaSettings): Promise<ChainLog> {
    const log = new ChainLog();
    const client = kafkaClient(settings);
    const open = await endsOf(settings);
    if (open.size === 0) return log;
    const consumer = client.consumer({ groupId: `bench.chain.${process.pid}.${Date.now()}` });
    await consumer.connect();
    await consumer.subscribe({ topics: [...CHAIN_TOPICS], fromBeginning: true });
    await new Promise<void>((resolve, reject) => {
      consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error));
      const run = consumer.run({
        autoCommit: false,
        eachBatch: ({ batch: { topic, partition, messages } }) => {
          for (const { headers, value, timestamp, offset } of messages) {
            log.take(headers ?? {}, String(value), Number(timestamp));
            if (Number(offset) + 1 >= (open.get(`${topic}/${partition}`) ?? Infinity))
              open.delete(`${topic}/${partition}`);
          }
          if (open.size === 0) resolve();
          return Promise.resolve();
        },
      });
      run.catch(reject);
    }).finally(() => consumer.disconnect());
    return log;
  }

  of(type: AnyEvent['type']): Stamped[] {
    return [...this.byId.values()].filter(({ event }) => event.type === type);
  }

  /** The nearest cause of a type; undefined when there is none on these topics. */
  causeOf({ event }: Stamped, type: AnyEvent['type']): Stamped | undefined {
    let at = this.byId.get(event.causationId ?? '');
    for (let step = 0; at && step < MOST_STEPS; step += 1) {
      if (at.event.type === type) return at;
      at = this.byId.get(at.event.causationId ?? '');
    }
    return undefined;
  }

  /** How an order went to the venue: what the venue says of it has a cause in the venue's own books. */
  submissionOf(orderId: string): Stamped | undefined {
    return this.submittedByOrder.get(orderId);
  }

  /** The signal that opened the window of an approval: a deadline may be what closed it. */
  openingOf({ event }: Stamped): Stamped | undefined {
    if (event.type !== 'trade.consensus_approved') return undefined;
    return this.byId.get(this.openingSignals.get(event.data.windowId) ?? '');
  }

  /**
   * Market time, ms, of the end of the bar that led to an event: nobody could have known earlier. Undefined where none did, or where
   * a trade of the next bar closed it: that trade is the first cause then.
   */
  barEndBefore(stamped: Stamped): number | undefined {
    const bar = this.causeOf(stamped, 'bar.closed')?.event;
    return bar?.type === 'bar.closed' && bar.occurredAt === bar.data.timestamp ? bar.occurredAt : undefined;
  }

  private take(headers: Readonly<Record<string, unknown>>, value: string, atMs: number): void {
    const text = Object.fromEntries(Object.entries(headers).map(([name, one]) => [name, String(one)]));
    const event = fromCloudEvent({ headers: text, value });
    if (this.byId.has(event.id)) return;
    const stamped = { event, atMs };
    this.byId.set(event.id, stamped);
    if (event.type === 'consensus.opened') this.openingSignals.set(event.data.windowId, event.data.openingSignalId);
    if (event.type === 'order.submitted') this.submittedByOrder.set(event.data.order_id, stamped);
  }
}

/** Where each partition that holds something ends. */
async function endsOf(settings: KafkaSettings): Promise<Map<string, number>> {
  const admin = kafkaClient(settings).admin();
  await admin.connect();
  try {
    const ends = new Map<string, number>();
    for (const topic of CHAIN_TOPICS) {
      for (const { partition, low, high } of await admin.fetchTopicOffsets(topic))
        if (Number(high) > Number(low)) ends.set(`${topic}/${partition}`, Number(high));
    }
    return ends;
  } finally {
    await admin.disconnect();
  }
}

import { setTimeout as delay } from 'node:timers/promises';
import type { AnyEvent } from '@moon/events';
import { tickRow } from '../../../kernel/src/contracts/event-store.contract';
import { gate, RecordingListener, type ListenerHooks } from '../../../kernel/src/testing/recording-listener';
import { KafkaConsumer } from './consumer';
import { KafkaPublisher } from './publisher';
import type { PublishTrouble } from './record-sender';
import { startCluster, type TestCluster } from './testing/cluster';
import { ensureTopics, topicPlan } from './topics';

const TOKENS = Array.from({ length: 12 }, (_, index) => `T${index}`);
let run = 0;

describe('Kafka that breaks', () => {
  let cluster: TestCluster;
  let opened: { stop: () => Promise<void> }[] = [];

  beforeAll(async () => {
    cluster = await startCluster(3);
    const settings = cluster.settings();
    // Few topics: a killed broker looks through all its partitions before it serves again.
    const plan = topicPlan(settings, []).filter(({ name }) => name === 'price.ticks');
    expect(await ensureTopics(settings, plan)).toEqual([]);
  });

  afterEach(async () => {
    await Promise.all(opened.map((part) => part.stop()));
    opened = [];
  });

  afterAll(() => cluster?.stop());

  const keep = <T extends { stop: () => Promise<void> }>(part: T): T => {
    opened.push(part);
    return part;
  };

  async function join(groupId: string, hooks: ListenerHooks = {}) {
    const listener = new RecordingListener(hooks);
    const consumer = keep(
      new KafkaConsumer({ settings: cluster.settings(), groupId, topics: ['price.ticks'], shards: 3 }),
    );
    await consumer.start(listener);
    return { consumer, listener };
  }

  /** Publishes 300 events a second of twelve keys until it is ended; gives what it published. */
  function load(publisher: KafkaPublisher) {
    run += 1;
    const prefix = `R${Date.now().toString(36).toUpperCase()}${run}`;
    const published: AnyEvent[] = [];
    const calls: Promise<void>[] = [];
    let acknowledged = 0;
    let waiting: { count: number; resolve: () => void }[] = [];
    let round = 0;
    const timer = setInterval(() => {
      round += 1;
      const events = TOKENS.map((token) => tickRow(round, { token: `${prefix}${token}` }).event);
      published.push(...events);
      calls.push(
        publisher.publish(events).then(() => {
          acknowledged += events.length;
          for (const { resolve } of waiting.filter(({ count }) => acknowledged >= count)) resolve();
          waiting = waiting.filter(({ count }) => acknowledged < count);
        }),
      );
    }, 40);
    return {
      published,
      get acknowledged() {
        return acknowledged;
      },
      until: (count: number) => new Promise<void>((resolve) => waiting.push({ count, resolve })),
      end: async () => {
        clearInterval(timer);
        await Promise.all(calls);
      },
    };
  }

  /** Every event arrived, and the first arrivals of each key are in its order. */
  async function expectAll(listener: RecordingListener, published: readonly AnyEvent[]): Promise<void> {
    const wanted = new Set(published.map(({ id }) => id));
    const seen = new Set<string>();
    let looked = 0;
    await listener.until(() => {
      const { events } = listener;
      for (; looked < events.length; looked += 1) seen.add(events[looked]!.id);
      return [...wanted].every((id) => seen.has(id));
    });
    for (const key of new Set(published.map((event) => event.key))) {
      const firsts = [...new Set(listener.idsOf(key))];
      expect(firsts).toEqual(published.filter((event) => event.key === key).map(({ id }) => id));
    }
  }

  it('an owner that is stuck for longer than the session keeps its shards, and gets nothing twice', async () => {
    const door = gate();
    const { listener } = await join('stuck', { messages: () => door.opened });
    const publisher = keep(new KafkaPublisher({ settings: cluster.settings() }));
    const stream = load(publisher);
    await stream.until(240);
    await listener.until(() => listener.messagesSeen.length > 0);
    const { sessionTimeoutMs } = cluster.settings();
    await delay(2.5 * sessionTimeoutMs);
    await stream.end();
    expect(listener.told.filter(({ kind }) => kind === 'revoked')).toEqual([]);
    door.open();
    await expectAll(listener, stream.published);
    expect(listener.told.filter(({ kind }) => kind === 'revoked')).toEqual([]);
    const places = listener.messagesSeen.map(({ partition, offset }) => `${partition}/${offset}`);
    expect(places).toHaveLength(new Set(places).size);
  });

  it('[BRK-4] kill -9 of a broker under load: nothing lost, order of keys kept, no call rejected', async () => {
    const { listener } = await join('kill-one');
    const publisher = keep(new KafkaPublisher({ settings: cluster.settings() }));
    const stream = load(publisher);
    await stream.until(600);
    await cluster.kill(2);
    await stream.until(stream.acknowledged + 1200);
    await cluster.revive(2);
    await stream.until(stream.acknowledged + 600);
    await stream.end();
    await expectAll(listener, stream.published);
    expect(publisher.stats()).toMatchObject({ published: stream.published.length, backlog: 0, oldestMs: 0 });
  });

  it('[BRK-3] all brokers away for 10 s: the third failure is said, and everything arrives in order afterwards', async () => {
    const { listener } = await join('kill-all');
    const troubles: PublishTrouble[] = [];
    let recoveries = 0;
    const publisher = keep(
      new KafkaPublisher({
        settings: cluster.settings(),
        onTrouble: (trouble) => troubles.push(trouble),
        onRecovered: () => (recoveries += 1),
      }),
    );
    const stream = load(publisher);
    await stream.until(600);
    await Promise.all([1, 2, 3].map((broker) => cluster.kill(broker)));
    const before = stream.acknowledged;
    await delay(10_000);
    expect(troubles[0]).toMatchObject({
      attempts: 3,
      reason: expect.stringContaining('No Kafka broker answers') as string,
    });
    expect(troubles[0]!.backlog).toBeGreaterThan(0);
    expect(publisher.isAway).toBe(true);
    expect(publisher.backlog).toBeGreaterThan(0);
    await Promise.all([1, 2, 3].map((broker) => cluster.revive(broker)));
    await stream.until(before + 1200);
    await stream.end();
    expect(publisher.isAway).toBe(false);
    expect(recoveries).toBeGreaterThan(0);
    await expectAll(listener, stream.published);
  });
});

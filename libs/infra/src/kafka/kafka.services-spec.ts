import { createRequire } from 'node:module';
import { KafkaJSRequestTimeoutError } from 'kafkajs';
import { TOPICS } from '@moon/events';
import { isRefused, type BusConsumer } from '@moon/kernel';
import { describeBus } from '../../../kernel/src/contracts/bus.contract';
import { tickRow } from '../../../kernel/src/contracts/event-store.contract';
import { RecordingListener } from '../../../kernel/src/testing/recording-listener';
import { createBroadcastConsumer } from './broadcast-consumer';
import { KafkaConsumer } from './consumer';
import { DeadLetters } from './dead-letters';
import { kafkaClient } from './kafka-config';
import { liveMembers } from './member-contracts';
import { KafkaPublisher } from './publisher';
import { RecordSender } from './record-sender';
import { startCluster, type TestCluster } from './testing/cluster';
import { deadLetterTopic, ensureTopics, topicDrift, topicPlan } from './topics';

const GROUP = 'services-spec';

/** How kafkajs asks a broker for a member's part; no part of its types. */
const BROKER = createRequire(__filename)('kafkajs/src/broker') as {
  prototype: {
    syncGroup: (request: { groupId: string; groupAssignment: readonly unknown[] }) => Promise<unknown>;
  };
};

describe('Kafka', () => {
  let cluster: TestCluster;
  let opened: { stop: () => Promise<void> }[] = [];

  const keep = <T extends { stop: () => Promise<void> }>(part: T): T => {
    opened.push(part);
    return part;
  };

  beforeAll(async () => {
    cluster = await startCluster(1);
    const settings = cluster.settings();
    const left = await ensureTopics(settings, topicPlan(settings, [GROUP]));
    expect(left).toEqual([]);
  });

  afterEach(async () => {
    await Promise.all(opened.map((part) => part.stop()));
    opened = [];
  });

  afterAll(() => cluster?.stop());

  const spaced = { sendIntervalMs: 20, fetchIntervalMs: 20 };
  const ways = [
    { name: 'Kafka', intervals: {} },
    { name: 'Kafka with its requests spaced out', intervals: spaced },
  ];
  for (const { name, intervals } of ways)
    describeBus({
      name,
      create: () => {
        const settings = { ...cluster.settings(), ...intervals };
        return Promise.resolve({
          publisher: () => keep(new KafkaPublisher({ settings })),
          consumer: (options) => keep(new KafkaConsumer({ ...options, settings })),
          raw: async (topic, { key, value, headers }) => {
            const sender = new RecordSender({ settings });
            await sender.send([{ topic, key, value, headers }]);
            await sender.stop();
          },
          close: () => Promise.resolve(),
        });
      },
    });

  it('members of a group tell the others which versions of events they read and emit', async () => {
    const settings = cluster.settings();
    const groupId = `${GROUP}-contracts`;
    expect(await liveMembers(settings, [groupId])).toEqual([]);
    const contracts = { owner: 'one', reads: { 'signal.generated': 2 }, emits: { 'signal.generated': 1 } };
    const reading = { settings, groupId, topics: ['price.ticks'], shards: 1 } as const;
    await keep(new KafkaConsumer({ ...reading, contracts })).start(new RecordingListener());
    expect(await liveMembers(settings, [groupId])).toEqual([
      { group: groupId, memberId: expect.any(String) as string, contracts },
    ]);
  });

  it('[AGT-4] a member that never heard its part of the shards asks again', async () => {
    const settings = cluster.settings();
    const reading = { settings, groupId: `${GROUP}-unheard`, topics: ['price.ticks'], shards: 3 } as const;
    const held = (listener: RecordingListener): number[] => {
      const shards = new Set<number>();
      for (const one of listener.told) {
        if (one.kind === 'assigned') for (const shard of one.shards) shards.add(shard);
        if (one.kind === 'revoked') for (const shard of one.shards) shards.delete(shard);
      }
      return [...shards];
    };
    const listeners = Array.from({ length: 3 }, () => new RecordingListener());
    const divided = async (among: number): Promise<void> => {
      const isDone = (): boolean => {
        const parts = listeners.slice(0, among).map(held);
        return (
          parts.every((part) => part.length > 0) && [...new Set(parts.flat())].length === 3 && parts.flat().length === 3
        );
      };
      for (const end = Date.now() + 30_000; !isDone() && Date.now() < end;)
        await new Promise((resolve) => setTimeout(resolve, 50));
      expect(listeners.slice(0, among).map(held).flat().sort()).toEqual([0, 1, 2]);
      expect(isDone()).toBe(true);
    };
    await keep(new KafkaConsumer(reading)).start(listeners[0]!);
    await keep(new KafkaConsumer(reading)).start(listeners[1]!);
    await divided(2);
    // Of the two, the one that leads the group is answered; the other one's answer does not come in time, once.
    let lost = 0;
    const sync = BROKER.prototype.syncGroup;
    const spy = jest.spyOn(BROKER.prototype, 'syncGroup').mockImplementation(function (this: unknown, request) {
      if (lost > 0 || request.groupId !== reading.groupId || request.groupAssignment.length > 0)
        return sync.call(this, request);
      lost += 1;
      return sync.call(this, request).then(() => Promise.reject(new KafkaJSRequestTimeoutError('not in time')));
    });
    try {
      await keep(new KafkaConsumer(reading)).start(listeners[2]!);
      await divided(3);
      expect(lost).toBe(1);
    } finally {
      spy.mockRestore();
    }
  });

  it('[BRK-1] [BRK-2] topics are the catalog’s: drift is found, mended where nothing is lost, and said where it would be', async () => {
    const settings = cluster.settings();
    const plan = topicPlan(settings, [GROUP]);
    expect(await topicDrift(settings, plan)).toEqual([]);
    const changed = plan.map((topic) =>
      topic.name === 'price.ticks'
        ? { ...topic, partitions: 16, config: { ...topic.config, 'retention.ms': '3600000' } }
        : topic,
    );
    const sender = keep(new KafkaPublisher({ settings }));
    await sender.publish([tickRow(1, { token: 'DRIFT' }).event]);
    expect(await topicDrift(settings, changed)).toEqual([
      expect.objectContaining({
        topic: 'price.ticks',
        kind: 'partitions',
        expected: '16',
        found: String(TOPICS['price.ticks'].partitions),
      }),
      expect.objectContaining({
        topic: 'price.ticks',
        kind: 'config',
        setting: 'retention.ms',
        expected: '3600000',
        found: '86400000',
      }),
    ]);
    // With a message in it, it keeps its partitions: keys would lose their order.
    expect(await ensureTopics(settings, changed)).toEqual([
      expect.objectContaining({ kind: 'partitions', found: String(TOPICS['price.ticks'].partitions) }),
    ]);
    expect(await ensureTopics(settings, plan)).toEqual([]);
    const missing = { ...plan[0]!, name: 'no.such.topic' };
    expect(await topicDrift(settings, [missing])).toEqual([
      expect.objectContaining({ topic: 'no.such.topic', kind: 'missing' }),
    ]);
  });

  it('an event that is too large and a topic that is not there are named, and hold nobody up', async () => {
    const settings = cluster.settings();
    const publisher = keep(new KafkaPublisher({ settings: { ...settings, maxMessageBytes: 10_000 } }));
    const large = tickRow(1, { token: 'LARGE' }).event;
    const refused = publisher.publish([{ ...large, headers: { note: 'x'.repeat(20_000) } }]);
    await expect(refused).rejects.toThrow(
      /price.tick .* with key "LARGE" cannot go to topic price.ticks: it has 2\d{4} bytes/,
    );
    const sender = keep(new RecordSender({ settings }));
    const lost = sender.send([{ topic: 'no.such.topic', key: 'a', value: '{}', headers: {} }]);
    const fine = sender.send([{ topic: deadLetterTopic(GROUP), key: 'a', value: '{}', headers: {} }]);
    await expect(lost).rejects.toThrow('no.such.topic: its topic does not exist');
    await fine;
    // The topic takes less than was configured: only the broker can say so.
    const trusting = keep(new RecordSender({ settings: { ...settings, maxMessageBytes: 5_000_000 } }));
    const record = { topic: deadLetterTopic(GROUP), key: 'b', headers: {} };
    const small = trusting.send([{ ...record, value: 'small' }]);
    const huge = trusting.send([{ ...record, value: 'x'.repeat(2_000_000) }]);
    const last = trusting.send([{ ...record, value: 'last' }]);
    await expect(huge).rejects.toThrow('larger than its topic allows');
    await Promise.all([small, last]);
  });

  it('a dead letter keeps the message, its error and origin, and goes back byte for byte', async () => {
    const settings = cluster.settings();
    const letters = keep(new DeadLetters({ settings, groupId: GROUP }));
    const listener = new RecordingListener();
    const reader = keep(
      new KafkaConsumer({ settings, groupId: `${GROUP}.reader`, topics: ['market.books'], shards: 1 }),
    );
    await reader.start(listener);
    const sender = keep(new RecordSender({ settings }));
    const value = Buffer.from([0xff, 0x00, 0x7b]);
    await sender.send([{ topic: 'market.books', key: 'BTC', value, headers: { from: 'a stranger' } }]);
    await listener.until(() => listener.messagesSeen.length === 1);
    const [refused] = listener.messagesSeen;
    if (refused === undefined || !isRefused(refused)) throw new Error('It was taken for an event.');
    await letters.bury(refused);
    const [letter] = (await letters.list()).slice(-1);
    expect(letter).toMatchObject({
      reason: 'not_text',
      detail: refused.detail,
      key: 'BTC',
      value,
      headers: { from: 'a stranger' },
      origin: { topic: 'market.books', partition: refused.partition, offset: refused.offset },
    });
    expect(await letters.show(letter!.offset)).toEqual(letter);
    expect(await letters.show(letter!.offset + 1)).toBeNull();
    await letters.replay(letter!.offset);
    await listener.until(() => listener.messagesSeen.length === 2);
    const again = listener.messagesSeen[1] as typeof refused;
    expect(again.partition).toBe(refused.partition);
    expect(again.raw).toEqual({
      ...refused.raw,
      headers: { from: 'a stranger', moonreplay: `${GROUP}/${letter!.offset}` },
    });
    await expect(letters.replay(letter!.offset + 1)).rejects.toThrow(`has no dead letter ${letter!.offset + 1}`);
  });

  it('a broadcast consumer has all partitions for itself, from the end or from a position', async () => {
    const settings = cluster.settings();
    const publisher = keep(new KafkaPublisher({ settings }));
    const [before, after] = [tickRow(1, { token: 'CAST' }).event, tickRow(2, { token: 'CAST' }).event];
    await publisher.publish([before]);
    const both: RecordingListener[] = [];
    for (let index = 0; index < 2; index += 1) {
      const listener = new RecordingListener();
      await keep(createBroadcastConsumer({ settings, groupId: 'cast', topics: ['price.ticks', 'halt.events'] })).start(
        listener,
      );
      await listener.until(() => listener.told.some(({ kind }) => kind === 'assigned.done'));
      both.push(listener);
    }
    const witness = new RecordingListener();
    await keep(
      createBroadcastConsumer({ settings, groupId: 'cast', topics: ['price.ticks'], from: 'beginning' }),
    ).start(witness);
    await witness.until(() => witness.idsOf('CAST').includes(before.id));
    await publisher.publish([after]);
    for (const listener of both) {
      await listener.until(() => listener.idsOf('CAST').includes(after.id));
      expect(listener.shards).toEqual([0]);
    }
    const place = witness.messagesSeen.find((message) => !isRefused(message) && message.event.id === before.id)!;
    const seeking = new RecordingListener({ assigned: () => consumer.seek(place) });
    const consumer: BusConsumer = keep(createBroadcastConsumer({ settings, groupId: 'cast', topics: ['price.ticks'] }));
    await consumer.start(seeking);
    await seeking.until(() => seeking.idsOf('CAST').length === 2);
    expect(seeking.idsOf('CAST')).toEqual([before.id, after.id]);
  });

  it('an offset that has expired is told before what is left', async () => {
    const settings = cluster.settings();
    const publisher = keep(new KafkaPublisher({ settings }));
    const events = [1, 2, 3, 4].map((seq) => tickRow(seq, { token: 'GONE' }).event);
    await publisher.publish(events);
    const finder = new RecordingListener();
    await keep(
      createBroadcastConsumer({ settings, groupId: 'gone', topics: ['price.ticks'], from: 'beginning' }),
    ).start(finder);
    await finder.until(() => finder.idsOf('GONE').length === 4);
    const places = finder.messagesSeen.filter((message) => !isRefused(message) && message.event.key === 'GONE');
    const { topic, partition, offset } = places[2]!;
    const admin = kafkaClient(settings).admin();
    await admin.connect();
    // The client knows who leads a partition only of topics that it was asked about before.
    await admin.fetchTopicOffsets(topic);
    await admin.deleteTopicRecords({ topic, partitions: [{ partition, offset: String(offset) }] });
    await admin.disconnect();
    const listener = new RecordingListener({ assigned: () => consumer.seek(places[0]!) });
    const consumer: BusConsumer = keep(createBroadcastConsumer({ settings, groupId: 'gone', topics: ['price.ticks'] }));
    await consumer.start(listener);
    await listener.until(() => listener.idsOf('GONE').length === 2);
    expect(listener.idsOf('GONE')).toEqual([events[2]!.id, events[3]!.id]);
    const expired = listener.told.filter(({ kind }) => kind === 'expired');
    expect(expired).toEqual([
      { kind: 'expired', from: { topic, partition }, wanted: places[0]!.offset, first: offset },
    ]);
  });

  it('refuses to start on topics that it cannot read as they are', async () => {
    const settings = cluster.settings();
    const consumer = keep(new KafkaConsumer({ settings, groupId: 'uneven', topics: ['halt.events'], shards: 4 }));
    await expect(consumer.start(new RecordingListener())).rejects.toThrow(
      'Topic halt.events has 1 partitions, which 4 shards cannot divide evenly',
    );
    const away = keep(
      new KafkaConsumer({
        settings: { ...settings, brokers: ['127.0.0.1:1'] },
        groupId: 'away',
        topics: ['halt.events'],
        shards: 1,
      }),
    );
    await expect(away.start(new RecordingListener())).rejects.toThrow(
      'No Kafka broker answers at 127.0.0.1:1 (ECONNREFUSED): check kafka.brokers',
    );
  });
});

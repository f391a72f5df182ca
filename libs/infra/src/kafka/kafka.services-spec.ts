import { describeBus } from '../../../kernel/src/contracts/bus.contract';
import { KafkaConsumer } from './consumer';
import { KafkaPublisher } from './publisher';
import { RecordSender } from './record-sender';
import { startCluster, type TestCluster } from './testing/cluster';
import { ensureTopics, topicPlan } from './topics';

describe('Kafka', () => {
  let cluster: TestCluster;

  beforeAll(async () => {
    cluster = await startCluster(1);
    const settings = cluster.settings();
    const left = await ensureTopics(settings, topicPlan(settings, []));
    expect(left).toEqual([]);
  });

  afterAll(() => cluster?.stop());

  describeBus({
    name: 'Kafka',
    create: () => {
      const opened: { stop: () => Promise<void> }[] = [];
      const keep = <T extends { stop: () => Promise<void> }>(part: T): T => {
        opened.push(part);
        return part;
      };
      const settings = cluster.settings();
      return Promise.resolve({
        publisher: () => keep(new KafkaPublisher({ settings })),
        consumer: (options) => keep(new KafkaConsumer({ ...options, settings })),
        raw: async (topic, { key, value, headers }) => {
          const sender = new RecordSender({ settings });
          await sender.send([{ topic, key, value, headers }]);
          await sender.stop();
        },
        close: async () => {
          await Promise.all(opened.map((part) => part.stop()));
        },
      });
    },
  });
});

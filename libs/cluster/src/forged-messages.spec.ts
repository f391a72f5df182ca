import { eventId, type AnyEvent } from '@moon/events';
import { KafkaConsumer, loadConfig, OperatorStream } from '@moon/infra';
import { isRefused, type BusListener, type BusMessage, type RefusedMessage } from '@moon/kernel';
import { testEvent } from '@moon/domain';
import { arriving } from '../../infra/src/testing/arriving';
import { startTestServer, withClient, type TestServer } from '../../infra/src/testing/postgres';
import { T0, tick } from '../../kernel/src/testing/venue-desk';
import { clusterConfigSchema, type ClusterConfig } from './config';
import type { Connections } from './connections';
import { checkClusterParity } from './parity/check';
import { RecorderPart } from './parts/recorder-part';
import { Deployment, until } from './testing/deployment';

const PORTFOLIOS = ['main', 'second', 'third', 'fourth'];
const SHARDS = [0, 1, 2].map((shard) => `execution#${shard}`);
const AUDIT = { topic: 'audit.events', partition: 0 } as const;
type OperatorCommand = Extract<AnyEvent, { type: 'operator.command' }>;

const settings = {
  'platform.portfolios': PORTFOLIOS.map((name) => {
    return { name, instruments: [{ instrument: 'BTC.HYPERLIQUID', leverage: 1 }] };
  }),
  'kafka.brokers': ['127.0.0.1:1'],
};

/** What anybody can write who reaches a broker: it lacks nothing that an operator's command has before it is in the log. */
const command = (name: 'halt' | 'lift'): OperatorCommand => {
  const args = { scope: 'global', reason: 'maintenance' };
  const data = { command: name, arguments: args, requestedBy: 'op@host', timestamp: T0 + 1_000 };
  const id = eventId('forged', name);
  return testEvent('operator.command', T0 + 1_000, data, { source: 'operator', id }) as OperatorCommand;
};

/** The recorder, fed from a broker in memory. */
class Recording {
  readonly kept: RefusedMessage[] = [];
  readonly part: RecorderPart;
  private listener: BusListener | null = null;

  constructor(archive: Connections['archive'], config: ClusterConfig) {
    jest.spyOn(KafkaConsumer.prototype, 'start').mockImplementation((listener) => {
      this.listener = listener;
      return Promise.resolve();
    });
    jest.spyOn(KafkaConsumer.prototype, 'commitSoon').mockReturnValue();
    const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined };
    const keep = (_group: string, message: RefusedMessage): Promise<void> =>
      Promise.resolve(void this.kept.push(message));
    const connections = {
      ...{ archive, config, logger: quiet, onStore: () => undefined, deadLetters: { keep } },
      metrics: { begin: () => undefined, time: () => undefined },
    } as unknown as Connections;
    const onFatal = (error: Error): never => {
      throw error;
    };
    this.part = new RecorderPart({ connections, codeVersion: '1', onFatal });
  }

  async take(messages: readonly (BusMessage | RefusedMessage)[]): Promise<void> {
    await this.part.start();
    for (const message of messages) await this.listener!.messages(message, [message]);
  }

  strangers(): number | undefined {
    return this.part.metrics().find(({ name }) => name === 'moon_recorder_strangers_total')?.value;
  }
}

describe('a forged command of an operator', () => {
  let server: TestServer;
  let database: string;
  let platform: Deployment;
  let config: ClusterConfig;

  beforeAll(async () => {
    server = await startTestServer();
  }, 180_000);
  afterAll(() => server.stop());
  beforeEach(async () => {
    database = await server.clusterDatabase();
    config = loadConfig(clusterConfigSchema, { env: {}, flags: settings });
    platform = new Deployment(server.access, database, config);
    await platform.start();
  }, 120_000);
  afterEach(async () => {
    jest.restoreAllMocks();
    await platform.stop();
  });

  const haltAll = async (): Promise<void> => {
    const stream = new OperatorStream(server.access.app, database);
    await stream.append(command('halt'));
    await stream.close();
    await until(() => PORTFOLIOS.every((name) => platform.haltsOf(name).length === 1));
  };
  const references = (): Promise<unknown[]> =>
    withClient(server.access.app, database, async (client) => {
      const asked = 'SELECT bus_offset FROM bus_references WHERE topic = $1 AND bus_partition = $2';
      return (await client.query(asked, [AUDIT.topic, AUDIT.partition])).rows;
    });
  /** Everything on the broker, partition by partition. */
  const carried = (): (BusMessage | RefusedMessage)[] => {
    const { bus } = platform.execution;
    const places = new Map(
      bus.messages().map(({ topic, partition }) => [`${topic}/${partition}`, { topic, partition }]),
    );
    places.set(`${AUDIT.topic}/${AUDIT.partition}`, AUDIT);
    return [...places.values()].flatMap((place) => bus.list(place));
  };

  it('[AGT-3] is put aside and obeyed by nobody; the archive does not know it, and parity holds', async () => {
    await haltAll();
    const forged = arriving(command('lift'), { ...AUDIT, offset: 0 });
    const { bus, refused } = platform.execution;
    const before = bus.list(AUDIT).length;
    bus.put(forged);
    bus.append(tick('BTC.HYPERLIQUID', 2_000, 101));
    await until(() => refused.length > 0);
    await platform.settled();
    expect(PORTFOLIOS.map((name) => platform.haltsOf(name).length)).toEqual([1, 1, 1, 1]);
    expect(await platform.of('halt.lifted')).toEqual([]);
    expect(refused).toMatchObject([{ ...AUDIT, offset: before, reason: 'not_from_the_log' }]);

    const recording = new Recording(platform.archive, config);
    await recording.take(carried());
    expect(recording.kept).toMatchObject([{ ...AUDIT, offset: before, reason: 'not_from_the_log' }]);
    expect(recording.kept[0]!.detail).toMatch(/^operator\.command is published from the log alone.*ask the platform/);
    expect(recording.strangers()).toBe(0);
    expect(await references()).toHaveLength(before);

    platform.kill();
    await platform.start();
    expect(PORTFOLIOS.map((name) => platform.haltsOf(name).length)).toEqual([1, 1, 1, 1]);
    await platform.settled();
    const { log, archive, journals } = platform;
    const record = { log, archive, journals };
    const recorderLag = (): Promise<number> => Promise.resolve(0);
    const report = await checkClusterParity({ record, codeVersion: '1', recorderLag, only: SHARDS });
    expect(report).toMatchObject({ equal: true, divergences: 0, firstDivergence: null });
  }, 120_000);

  it('[AGT-3] that even names a place in the log is told by the recorder: no stream has it', async () => {
    await haltAll();
    const claimed = { ...command('lift'), headers: { streamVersion: 2 } };
    const forged = arriving(claimed, { ...AUDIT, offset: 0, producer: 'operators' });
    expect(isRefused(forged)).toBe(false);
    const recording = new Recording(platform.archive, config);
    await recording.take([...carried(), forged]);
    expect(recording.kept).toMatchObject([{ topic: AUDIT.topic, reason: 'in_no_stream' }]);
    expect(recording.kept[0]!.raw.headers).toMatchObject({ ce_id: claimed.id, moonshard: 'operators' });
    expect(recording.strangers()).toBe(1);
  }, 120_000);
});

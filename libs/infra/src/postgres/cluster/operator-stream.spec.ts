import { eventId, type AnyEvent } from '@moon/events';
import { startTestServer } from '../../testing/postgres';
import type { TestServer } from '../../testing/postgres';
import { ClusterLog } from './log';
import { OperatorStream } from './operator-stream';
import { StreamRelay } from './relay';
import type { RelayedRow } from './relay';

type OperatorCommand = Extract<AnyEvent, { type: 'operator.command' }>;

const STREAM = 'audit@operators';

const commandAt = (at: number): OperatorCommand => {
  const id = eventId('operator-stream-spec', String(at));
  const asked = { command: 'halt', arguments: { scope: 'global', reason: `r${at}` }, requestedBy: 'ann@desk' } as const;
  return {
    ...{ id, type: 'operator.command', schemaVersion: 1, source: 'operator', key: 'system', occurredAt: at },
    ...{ correlationId: id, causationId: null, headers: { mode: 'synthetic' } },
    data: { event_type: 'operator.command', ...asked, timestamp: at },
  };
};

describe('the stream of operators’ commands', () => {
  let test: TestServer;
  let database: string;
  let streams: OperatorStream[];
  let log: ClusterLog;

  beforeAll(async () => {
    test = await startTestServer();
  }, 120_000);
  afterAll(() => test.stop());
  beforeEach(async () => {
    database = await test.clusterDatabase();
    streams = Array.from({ length: 4 }, () => new OperatorStream(test.access.app, database));
    log = new ClusterLog(test.access.app, database);
  });
  afterEach(() => Promise.all([...streams, log].map((one) => one.close())));

  const stored = async (): Promise<[number | undefined, AnyEvent][]> => {
    const rows: [number | undefined, AnyEvent][] = [];
    for await (const { version, event } of log.readStream(STREAM)) rows.push([version, event]);
    return rows;
  };

  it('stores a command once, letter for letter, however often it is repeated', async () => {
    const [stream] = streams as [OperatorStream];
    const command = commandAt(Date.UTC(2026, 4, 1));
    expect(await stream.append(command)).toBe(true);
    expect(await stream.append(command)).toBe(false);
    expect(await stored()).toEqual([[1, command]]);
  });

  it('stores one command of attempts at the same time, and counts versions without a gap', async () => {
    const at = Date.UTC(2026, 4, 1);
    const rounds = Array.from({ length: 10 }, (_, round) => round);
    for (const round of rounds) {
      const same = await Promise.all(streams.map((stream) => stream.append(commandAt(at + round))));
      expect(same.filter(Boolean)).toHaveLength(1);
    }
    await Promise.all(streams.map((stream, index) => stream.append(commandAt(at + 100 + index))));
    const versions = (await stored()).map(([version]) => version);
    expect(versions).toEqual(Array.from({ length: 14 }, (_, index) => index + 1));
  });

  it('is relayed to the shards in its order, under a name of its own', async () => {
    const [stream] = streams as [OperatorStream];
    const at = Date.UTC(2026, 4, 1);
    const seen: RelayedRow[] = [];
    const relay = new StreamRelay(test.access.app, database, (rows) => Promise.resolve(void seen.push(...rows)));
    relay.start();
    try {
      for (let count = 0; count < 5; count += 1) await stream.append(commandAt(at + count));
      while (seen.length < 5) await new Promise((resolve) => setTimeout(resolve, 10));
    } finally {
      await relay.stop();
    }
    expect(seen.map(({ shard, streamId, version }) => [shard, streamId, version])).toEqual(
      [1, 2, 3, 4, 5].map((version) => ['operators', STREAM, version]),
    );
    expect(seen.map(({ event }) => event.occurredAt - at)).toEqual([0, 1, 2, 3, 4]);
  });

  it('tells the store’s time', async () => {
    expect(Math.abs((await streams[0]!.now()) - Date.now())).toBeLessThan(60_000);
  });
});

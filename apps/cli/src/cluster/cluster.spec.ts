import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CATALOG, DEFINITIONS, eventId, type AnyEvent, type EventType } from '@moon/events';
import { EventArchive, ShardJournals } from '@moon/infra';
import type { LogRow } from '@moon/kernel';
import { startTestServer, type TestServer } from '../../../../libs/infra/src/testing/postgres';
import { CommandLine } from '../testing/command-line';

const T0 = Date.UTC(2024, 0, 1);
const SHARD = 'consensus#0';

const eventOf = (type: EventType, at: number, cause?: AnyEvent): AnyEvent => {
  const data = { ...DEFINITIONS[type].example, event_type: type, timestamp: T0 + at } as unknown as AnyEvent['data'];
  const id = eventId('cluster-spec', type, String(at));
  const lineage = { correlationId: cause?.correlationId ?? id, causationId: cause?.id ?? null };
  const { schemaVersion, keyOf } = CATALOG[type];
  const key = keyOf(data as never);
  return { ...{ id, type, schemaVersion, source: 'test', key, occurredAt: T0 + at }, ...lineage, data } as AnyEvent;
};

describe('moon on a deployment of many processes', () => {
  const line = new CommandLine();
  let test: TestServer;
  let where: string[];
  const tick = eventOf('price.tick', 0);
  const opened = eventOf('consensus.opened', 10, tick);

  /** What leads `moon` to a database. */
  function optionsFor(database: string): string[] {
    const { host, port, user, password } = test.server;
    const settings = {
      postgres: { hosts: [`${host}:${port}`], superuser: user, password, database },
      kafka: { brokers: ['127.0.0.1:1'] },
    };
    const file = join(line.folder, `${database}.json`);
    writeFileSync(file, JSON.stringify(settings));
    return ['--cluster', '--config', file];
  }

  beforeAll(async () => {
    test = await startTestServer();
    const database = await test.clusterDatabase();
    where = optionsFor(database);
    const journals = new ShardJournals(test.access.app, database);
    const archive = new EventArchive(test.access.app, database);
    const journal = journals.open(SHARD);
    await journal.claim('execution@1');
    const run = { kind: 'messages', topic: 'price.ticks', partition: 0, from: 0, count: 1 } as const;
    const row = { seq: 2, event: opened, streamId: 'consensus-BTC', version: 1 };
    await journal.append({ afterSeq: 0, toSeq: 2, entries: [run], publishedSeq: 0 }, [row]);
    // The recorder comes after the shard: what caused the event stands behind it in the log.
    await archive.append([{ topic: 'price.ticks', partition: 0, offset: 0, event: tick, producer: null }]);
    await Promise.all([journals.close(), archive.close()]);
  }, 60_000);
  afterAll(async () => {
    await test.stop();
    line.remove();
  });

  it('shows its events, and a chain whose cause was archived after what came of it', async () => {
    const events = await line.moon('events', ...where);
    expect(events).toMatchObject({ code: 0, err: [expect.stringMatching(/^The cluster moon_test_\d+: 2 events\.$/)] });
    const { code, out } = await line.moon('trace', opened.id, ...where);
    expect(code).toBe(0);
    expect(out).toEqual([
      expect.stringMatching(/price\.tick .*#2\]$/),
      expect.stringMatching(/^└─ ► \+0\.01 s {2}consensus\.opened .*#1\]$/),
    ]);
  }, 60_000);

  it('follows new events until it is interrupted', async () => {
    const command = line.start(['events', '--tail', '--json', ...where]);
    while (command.said.out.length < 2) await new Promise((resolve) => setTimeout(resolve, 20));
    command.interrupt();
    expect((await command.ended).code).toBe(0);
    expect(command.said.out.map((text) => (JSON.parse(text) as AnyEvent).type)).toEqual([
      'price.tick',
      'consensus.opened',
    ]);
  }, 60_000);

  it('[EVS-6] folds its portfolios, with the halts of the shard that owns them, whatever number of shards it is told', async () => {
    const database = await test.clusterDatabase();
    const there = optionsFor(database);
    expect(await line.moon('portfolio', ...there)).toMatchObject({
      code: 1,
      err: [expect.stringMatching(/The cluster moon_test_\d+ has no portfolios yet\.$/)],
    });
    const said = (type: EventType, at: number, data: object): AnyEvent => {
      const event = eventOf(type, at);
      return { ...event, key: 'main', data: { ...event.data, ...data, timestamp: T0 + at } } as AnyEvent;
    };
    const rows = (...events: [AnyEvent, string, number][]): LogRow[] =>
      events.map(([event, streamId, version], index) => ({ seq: index + 1, event, streamId, version }));
    const globalHalt = (at: number, reason: string): AnyEvent => ({
      ...said('halt.raised', at, { portfolio: undefined, scope: 'global', source: 'operator', reason }),
      key: 'global',
    });
    const own = { portfolio: 'main', scope: 'portfolio', source: 'risk', reason: 'leverage' };
    const journals = new ShardJournals(test.access.app, database);
    for (const [shard, log] of [
      [
        'execution#5',
        rows(
          [said('portfolio.opened', 20, { portfolio: 'main' }), 'portfolio-main', 1],
          [said('portfolio.deposited', 21, { portfolio: 'main', amount: '50000' }), 'portfolio-main', 2],
          [said('halt.raised', 22, own), 'portfolio-main', 3],
          [globalHalt(23, 'maintenance'), 'halts-global@execution#5', 1],
        ),
      ],
      ['execution#0', rows([globalHalt(24, 'of another shard'), 'halts-global@execution#0', 1])],
    ] as const) {
      const journal = journals.open(shard);
      await journal.claim('spec');
      await journal.append({ afterSeq: 0, toSeq: log.length, entries: [], publishedSeq: log.length }, log);
    }
    await journals.close();
    const { portfolios } = await line.json<{ portfolios: unknown[] }>('portfolio', 'main', ...there);
    expect(portfolios).toMatchObject([
      {
        ...{ portfolio: 'main', cash: '50000', equity: 50_000 },
        halts: [{ reason: 'maintenance' }, { reason: 'leverage' }],
      },
    ]);
  }, 60_000);

  it('[US3-3] says of a shard why it cannot be compared, without brokers too, and ends with 1', async () => {
    const { code, out, err } = await line.moon('parity', '--json', ...where);
    expect(code).toBe(1);
    const report = JSON.parse(out[0]!) as { equal: boolean; shards: { shard: string; impossible: string }[] };
    expect(report).toMatchObject({ equal: false, shards: [{ shard: SHARD, compared: 0 }] });
    expect(report.shards[0]?.impossible).toMatch(/does not begin with settings/);
    expect(err[0]).toMatch(/No Kafka broker answers at 127\.0\.0\.1:1 .* counts as late/);
  }, 60_000);

  it('finds with doctor what is wrong: brokers that are away, shards that nobody claimed', async () => {
    const { code, out } = await line.moon('doctor', ...where);
    const text = out.join('\n');
    expect(code).toBe(1);
    expect(text).toMatch(/WRONG {2}brokers: No Kafka broker answers at 127\.0\.0\.1:1/);
    expect(text).toMatch(/ok {5}event store: Database moon_test_\d+ answers/);
    expect(text).toMatch(/ok {5}schema: The schema is the newest one/);
    expect(text).toMatch(/ok {5}shards: 1 of \d+ have been claimed, last by execution@1/);
    expect(text).toMatch(/note {3}shards: Never claimed: .*execution#0/);
  }, 60_000);

  it.each([
    ['no stack', ['--stack', 'nowhere'], 2, /stack\.json is not there\. Start the servers/],
    ['a wrong setting', ['--cluster', '--set', 'postgres.hots=["x:1"]'], 1, /postgres\.hots/],
    ['half a setting', ['--cluster', '--set', 'shards'], 2, /expected NAME=VALUE/],
  ])('says what is wrong with %s', async (_what, options, code, message) => {
    const { out, err, ...ended } = await line.moon('events', ...options);
    expect({ ...ended, out }).toEqual({ code, out: [] });
    expect(err.join('\n')).toMatch(message);
  });

  it('says so where no deployment has been', async () => {
    const { code, err } = await line.moon('events', ...where, '--set', 'postgres.database=empty');
    expect({ code, err }).toEqual({
      code: 1,
      err: [expect.stringMatching(/Database empty at .* holds no deployment yet/)],
    });
  }, 60_000);

  it('names the applications that it starts', async () => {
    expect((await line.moon('start', '--help')).out.join('\n')).toMatch(/Usage: moon start <application> \[options\]/);
    const { code, err } = await line.moon('start', 'agent');
    expect(code).toBe(2);
    expect(err.join('\n')).toMatch(/Allowed choices are agents, execution, recorder, api/);
  });
});

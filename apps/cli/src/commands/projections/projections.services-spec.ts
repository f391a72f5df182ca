import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CATALOG } from '@moon/events';
import { ClusterLog, EventArchive, RedisProjectionCache, ShardJournals, soleWork } from '@moon/infra';
import { streamVersion, type LogRow, type ShardJournal } from '@moon/kernel';
import { startTestServer, type TestServer } from '../../../../../libs/infra/src/testing/postgres';
import { startTestRedis, type TestRedis } from '../../../../../libs/infra/src/testing/redis';
import { cachedText, projectedText, Projecting } from '../../../../../tests/support/projecting';
import { tradedLog } from '../../../../../tests/support/traded-log';
import { CommandLine, until } from '../../testing/command-line';

const SHARD = 'execution#0';

describe('moon projections rebuild', () => {
  const line = new CommandLine();
  let all: LogRow[];
  let test: TestServer;
  let redis: TestRedis;
  let database: string;
  let command: string[];
  let log: ClusterLog;
  let archive: EventArchive;
  let journals: ShardJournals;
  let journal: ShardJournal;
  let projecting: Projecting;
  let appended: number;

  beforeAll(async () => {
    test = await startTestServer();
    ({ rows: all } = await tradedLog(300));
  }, 180_000);
  afterAll(async () => {
    await test.stop();
    line.remove();
  });
  beforeEach(async () => {
    redis = await startTestRedis();
    database = await test.clusterDatabase();
    const { host, port, user, password } = test.server;
    const postgres = { hosts: [`${host}:${port}`], superuser: user, password, database };
    const file = join(line.folder, `${database}.json`);
    writeFileSync(file, JSON.stringify({ postgres, redis: { ...redis.config, timeoutMs: 5_000 } }));
    command = ['projections', 'rebuild', '--cluster', '--config', file];
    log = new ClusterLog(test.access.app, database);
    archive = new EventArchive(test.access.app, database);
    journals = new ShardJournals(test.access.app, database);
    journal = journals.open(SHARD);
    await journal.claim('spec');
    appended = 0;
    projecting = new Projecting(await RedisProjectionCache.connect(redis.config));
    await projecting.until('up');
  });
  afterEach(async () => {
    await projecting.stop();
    await Promise.all([log.close(), archive.close(), journals.close()]);
    await redis.stop();
  });

  /** What shards and recorder do with these events: the log has them, then whoever folds live. */
  async function happen(rows: readonly LogRow[]): Promise<void> {
    const streams = rows.filter(({ streamId }) => streamId !== undefined);
    const bus = rows.filter(({ streamId }) => streamId === undefined);
    if (streams.length > 0) {
      const batch = { afterSeq: appended, toSeq: appended + streams.length, entries: [], publishedSeq: 0 };
      await journal.append(batch, streams);
      appended += streams.length;
    }
    await archive.append(
      bus.map(({ seq, event }) => {
        const { topic } = CATALOG[event.type];
        return { topic, partition: 0, offset: seq, event, producer: SHARD };
      }),
    );
    projecting.take(rows);
  }
  const halves = (): [LogRow[], LogRow[]] => {
    const middle = Math.floor(all.length / 2);
    return [all.slice(0, middle), all.slice(middle)];
  };
  const generations = async (): Promise<Record<string, string>> => {
    const flat = (await redis.command('HGETALL', 'moon:{test}:generations')) as string[];
    return Object.fromEntries(flat.flatMap((name, at) => (at % 2 === 0 ? [[name, flat[at + 1]!]] : [])));
  };
  const expectProjection = async (): Promise<void> => {
    await projecting.writer.idle();
    const rows: LogRow[] = [];
    for await (const row of log.readLog(0)) rows.push(row);
    const [held, expected] = [await cachedText(projecting.cache), projectedText(rows)];
    expect(held.length).toBeGreaterThan(20);
    expect(held).toEqual(expected);
  };

  it('[SYS-4] mends what was wrong at the right version, while log and readers’ cache go on', async () => {
    const [before, later] = halves();
    await happen(before);
    await projecting.writer.idle();
    const { current } = await generations();
    const name = `moon:{test}:${current}:portfolio:main`;
    const right = (await redis.command('GET', name)) as string;
    await redis.command('SET', name, `${right.split(' ')[0]} {"equity":1}`);
    const rebuilding = line.moon(...command, '--json');
    for (let at = 0; at < later.length; at += 100) await happen(later.slice(at, at + 100));
    const { code, out, err } = await rebuilding;
    expect({ code, err }).toEqual({ code: 0, err: [] });
    const result = JSON.parse(out[0]!) as { generation: string; before: string; events: number };
    expect(result).toMatchObject({ before: current, aheadOfLog: [], parked: [], leftOver: null });
    expect(result.events).toBeGreaterThanOrEqual(before.length);
    expect(result.events).toBeLessThanOrEqual(all.length);
    await expectProjection();
    expect(await generations()).toEqual({ current: result.generation, whole: '1' });
    expect(await redis.command('KEYS', `moon:{test}:${current}*`)).toEqual([]);
  }, 120_000);

  it('refuses with one line while another one is under way', async () => {
    await happen(halves()[0]);
    const work = { login: test.access.app, database, what: 'rebuild-projections' };
    const refused = await soleWork(work, () => line.moon(...command));
    expect(refused).toEqual({
      code: 1,
      out: [],
      err: ['moon: Another rebuild of this deployment is under way: wait until it has ended, or interrupt it.'],
    });
    expect(await generations()).not.toHaveProperty('next');
    expect((await line.moon(...command)).code).toBe(0);
  }, 120_000);

  it('interrupted leaves readers what they have, and nothing else', async () => {
    await happen(halves()[0]);
    // Readers see what the log has not: it goes on looking whether it comes.
    projecting.writer.write([{ key: 'late', version: streamVersion(1), value: '1' }]);
    await projecting.writer.idle();
    const before = await generations();
    const shown = await cachedText(projecting.cache);
    const { ended, interrupt } = line.start(command);
    let next: string | undefined;
    while (next === undefined) ({ next } = await generations());
    interrupt();
    expect(await ended).toMatchObject({ code: 130, out: [], err: [expect.stringMatching(/^Interrupted: .* deleted/)] });
    expect(await generations()).toEqual(before);
    expect(await redis.command('KEYS', `moon:{test}:${next}*`)).toEqual([]);
    expect(await cachedText(projecting.cache)).toEqual(shown);
  }, 120_000);

  it('clears away what a killed one has left', async () => {
    await happen(halves()[0]);
    await projecting.writer.idle();
    const leftOver = String(Number((await generations()).current) + 1);
    await projecting.cache.begin(leftOver);
    await projecting.cache.fill(leftOver, [{ key: 'half', version: streamVersion(1), value: '1' }]);
    const { code, err } = await line.moon(...command);
    expect({ code, err }).toEqual({
      code: 0,
      err: [`Generation ${leftOver}, which an earlier rebuild had left unfinished, was deleted.`],
    });
    expect(await redis.command('KEYS', `moon:{test}:${leftOver}*`)).toEqual([]);
    await expectProjection();
  }, 120_000);

  it('changes nothing when readers see more than the log has, unless it is forced', async () => {
    await happen(halves()[0]);
    projecting.writer.write([{ key: 'invented', version: streamVersion(1), value: '1' }]);
    await projecting.writer.idle();
    const before = await generations();
    const { code, err } = await line.moon(...command);
    expect(code).toBe(1);
    expect(err.at(-1)).toMatch(/^moon: 1 keys of the cache are ahead of the log \(invented\)/);
    expect(await generations()).toEqual(before);
    const forced = await line.moon(...command, '--force');
    expect(forced.code).toBe(0);
    expect(forced.err.at(-1)).toMatch(/^Lost, since the log does not have them: invented\./);
    await expectProjection();
  }, 180_000);

  it('says so when the cache is empty', async () => {
    await projecting.stop();
    await redis.command('FLUSHALL');
    expect(await line.moon(...command)).toMatchObject({
      code: 1,
      err: [expect.stringMatching(/holds no projections yet: start the recorder/)],
    });
    projecting = new Projecting(await RedisProjectionCache.connect(redis.config));
    await until(() => projecting.writer.state === 'up');
  }, 60_000);
});

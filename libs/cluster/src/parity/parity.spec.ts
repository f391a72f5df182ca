import { EmittedVersions } from '@moon/events';
import type { Handler, PlatformConfig } from '@moon/domain';
import { ClusterLog, EventArchive, ShardJournals } from '@moon/infra';
import { Client } from 'pg';
import { exampleEvent } from '../../../events/src/testing/fixtures';
import { startTestServer, type TestServer } from '../../../infra/src/testing/postgres';
import { turns } from '../../../kernel/src/testing/live-bed';
import { ShardBed } from '../../../kernel/src/testing/shard-bed';
import { barClosed, T0, tick } from '../../../kernel/src/testing/venue-desk';
import { settingsEvents } from '../settings-events';
import { checkClusterParity } from './check';
import type { ClusterParityReport } from './report';

const TOKENS = ['BTC.HYPERLIQUID', 'ETH.HYPERLIQUID', 'SOL.HYPERLIQUID'];

/** Says at every bar what it saw since the last one: it depends on the order of two topics. */
const mixer = (score = 90): Handler<{ trail: string[] }> => ({
  name: 'agent/mixer',
  role: 'agent',
  partitionedBy: 'token',
  consumes: ['price.tick', 'bar.closed'],
  initialState: () => ({ trail: [] }),
  handle(event, state, out) {
    if (event.type === 'price.tick') state.trail.push(`t${event.data.price}`);
    if (event.type !== 'bar.closed') return;
    const { token, timestamp } = event.data;
    const reason = state.trail.splice(0).join(' ');
    out.emit('signal.generated', { token, action: 'BUY', score, confidence: 0.9, agent: 'mixer', reason, timestamp });
    out.schedule('ring', event.occurredAt + 1_000);
  },
});

/** Fills an order for every price: events of streams, one stream an order, with a fee each. */
const filler: Handler<{ count: number }> = {
  name: 'saga/filler',
  role: 'saga',
  durable: true,
  partitionedBy: 'token',
  consumes: ['price.tick'],
  initialState: () => ({ count: 0 }),
  handle(event, state, out) {
    if (event.type !== 'price.tick') return;
    state.count += 1;
    const { data } = exampleEvent('trade.executed');
    out.emit('trade.executed', {
      ...data,
      order_id: event.id,
      fee: `0.${state.count}`,
      timestamp: event.occurredAt,
    } as never);
  },
};

const handlers = [mixer(), filler];

describe('parity of a distributed run', () => {
  let server: TestServer;
  let database: string;
  let lag = 0;
  let record: { log: ClusterLog; archive: EventArchive; journals: ShardJournals };

  beforeAll(async () => {
    server = await startTestServer();
  }, 60_000);
  afterAll(() => server.stop());

  beforeEach(async () => {
    lag = 0;
    database = await server.clusterDatabase();
    const { app } = server.access;
    record = {
      log: new ClusterLog(app, database),
      archive: new EventArchive(app, database),
      journals: new ShardJournals(app, database),
    };
  });
  afterEach(() => Promise.all(Object.values(record).map((part) => part.close())));

  /** Three tokens over two topics on two shards, whose owner is killed in the middle; archived whole. */
  async function run(): Promise<void> {
    const bed = new ShardBed({
      handlers,
      keyed: ['price.ticks', 'market.bars'],
      journal: ({ shard }) => record.journals.open(shard),
      begin: async ({ now }) => {
        const [known] = (await record.log.query({ types: ['config.activated'], limit: 1 })).rows;
        if (known) return [];
        const platform = { of: 'this spec' } as unknown as PlatformConfig;
        const at = Math.max(T0, now);
        return settingsEvents({
          shard: 'group#0',
          codeVersion: '1',
          emitted: new EmittedVersions({}),
          platform,
          at,
          seq: 0,
          headers: {},
          last: null,
        });
      },
    });
    const first = await bed.member();
    await live(first);
    await play(bed, 0, 12);
    await first.group.checkpoint();
    await play(bed, 12, 20);
    first.kill();
    const second = await bed.member();
    await live(second);
    await play(bed, 20, 30);
    await second.shard.log.settled();
    await second.group.stop();
    expect([...first.failures, ...second.failures]).toEqual([]);
    await record.archive.append(bed.bus.messages());
  }

  const live = async (member: Awaited<ReturnType<ShardBed['member']>>): Promise<void> => {
    while (member.group.shards.length === 0) await turns();
    await member.shard.ready;
  };

  async function play(bed: ShardBed, from: number, to: number): Promise<void> {
    for (let minute = from; minute < to; minute += 1) {
      for (const [index, token] of TOKENS.entries()) {
        bed.bus.append(tick(token, minute * 60_000, 100 * (index + 1) + minute));
        if ((minute + index) % 2 === 0) await turns(2);
        bed.bus.append(barClosed(token, minute, [1, 2, 1, 200 + minute]));
      }
      await turns(2);
    }
    await turns();
  }

  const parity = (used: readonly Handler[] = handlers): Promise<ClusterParityReport> =>
    checkClusterParity({ record, codeVersion: '1', handlersOf: () => used, recorderLag: () => Promise.resolve(lag) });

  /** Works on the database as its superuser, whom no trigger stops. */
  async function tamper(...statements: string[]): Promise<void> {
    const { host, port, user, password } = server.server;
    const client = new Client({ host, port, user, password, database });
    await client.connect();
    await client.query('SET session_replication_role = replica');
    for (const statement of statements) expect((await client.query(statement)).rowCount).toBe(1);
    await client.end();
  }

  it('[US3-3] is equal over several tokens, a crash and a new owner: every event that was emitted is emitted again', async () => {
    await run();
    const report = await parity();
    expect(report).toMatchObject({ equal: true, firstDivergence: null, divergences: 0, pending: 0, notes: [] });
    expect(report.comparedByType).toEqual({ 'signal.generated': 90, 'trade.executed': 90 });
    expect(report.shards).toEqual([
      expect.objectContaining({
        shard: 'group#0',
        compared: 180,
        messages: 180,
        equal: true,
        waitsAt: null,
        impossible: null,
      }),
    ]);
    expect(report.shards[0]?.configurations).toEqual([{ seq: 1, codeVersion: '1' }]);
    expect(report.shards[0]?.seq).toBe((await record.log.shards())[0]?.lastSeq);
  }, 60_000);

  it('[US3-3] finds one fee that was changed in the log, and shows it with what led to it', async () => {
    await run();
    await tamper(
      `UPDATE stream_events SET data = jsonb_set(data::jsonb, '{fee}', '"0.99"')::json
       WHERE position = (SELECT position FROM stream_events WHERE type = 'trade.executed' ORDER BY position OFFSET 40 LIMIT 1)`,
    );
    const report = await parity();
    expect(report).toMatchObject({ equal: false, divergences: 1, divergencesByKind: { differs: 1 } });
    const { firstDivergence } = report;
    expect(firstDivergence).toMatchObject({ type: 'trade.executed', shard: 'group#0', handler: 'saga/filler' });
    expect(firstDivergence?.paths).toEqual([
      { path: 'data.fee', recorded: '0.99', replayed: expect.stringMatching(/^0\.\d+$/) },
    ]);
    expect(firstDivergence?.cause?.event.type).toBe('price.tick');
  }, 60_000);

  it('[US3-3] finds published events that were taken out, put in, or put elsewhere', async () => {
    await run();
    const nth = (offset: number): string =>
      `(SELECT position FROM events WHERE type = 'signal.generated' AND key = 'BTC' ORDER BY bus_offset OFFSET ${offset} LIMIT 1)`;
    await tamper(`DELETE FROM events WHERE position = ${nth(3)}`);
    expect(await parity()).toMatchObject({ equal: false, divergencesByKind: { not_recorded: 1 } });
    await tamper(`UPDATE events SET bus_offset = 1000000 WHERE position = ${nth(5)}`);
    expect((await parity()).divergencesByKind.order).toBeGreaterThan(0);
    await tamper(`UPDATE events SET event_id = '00000000-0000-5000-8000-000000000001' WHERE position = ${nth(7)}`);
    expect(await parity()).toMatchObject({ divergencesByKind: { not_replayed: 1 } });
  }, 60_000);

  it('[US3-3] takes what is missing at the end for lost when the recorder has caught up, and for late when it has not', async () => {
    await run();
    await tamper(`DELETE FROM events WHERE position =
      (SELECT position FROM events WHERE type = 'signal.generated' AND key = 'BTC' ORDER BY bus_offset DESC LIMIT 1)`);
    expect(await parity()).toMatchObject({ equal: false, pending: 0, divergencesByKind: { not_recorded: 1 } });
    lag = 1;
    expect(await parity()).toMatchObject({ equal: true, pending: 1, divergences: 0 });
  }, 60_000);

  it('[US3-3] finds a handler that decides otherwise now', async () => {
    await run();
    const report = await parity([mixer(91), filler]);
    expect(report).toMatchObject({ equal: false, divergencesByKind: { differs: 90 } });
    expect(report.firstDivergence?.paths).toEqual([{ path: 'data.score', recorded: 90, replayed: 91 }]);
    const silent: Handler = { ...filler, handle: () => undefined };
    expect(await parity([mixer(), silent])).toMatchObject({ equal: false, divergencesByKind: { not_replayed: 90 } });
  }, 60_000);

  it('says which message is missing where the archive has a hole, and where it does not reach yet', async () => {
    await run();
    await tamper(
      `DELETE FROM events WHERE position = (SELECT position FROM events WHERE type = 'price.tick' ORDER BY bus_offset DESC LIMIT 1)`,
    );
    const behind = await parity();
    expect(behind.shards[0]?.waitsAt).toBeGreaterThan(0);
    expect(behind).toMatchObject({ equal: true, notes: [expect.stringMatching(/group#0 the end was not compared/)] });
    await tamper(`DELETE FROM events WHERE position = (SELECT min(position) FROM events WHERE type = 'price.tick')`);
    const missing = await parity();
    expect(missing.equal).toBe(false);
    expect(missing.shards[0]?.impossible).toMatch(
      /Message 0 of price\.ticks\/\d+, which shard group#0 handled .* is not in the archive/,
    );
  }, 60_000);

  it('[US3-3] says of a journal whose beginning has expired that it cannot be compared', async () => {
    await run();
    await tamper('DELETE FROM journal WHERE after_seq = 0');
    const { equal, shards } = await parity();
    expect(equal).toBe(false);
    expect(shards[0]?.impossible).toMatch(/journal of group#0 lacks positions 1 to \d+: .* journal_drops/);
  }, 60_000);
});

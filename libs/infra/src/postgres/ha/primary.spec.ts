import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tickRow } from '../../../../kernel/src/contracts/event-store.contract';
import { freezingServer, type FreezingServer } from '../../testing/freezing-server';
import { startTestServer } from '../../testing/postgres';
import type { TestServer } from '../../testing/postgres';
import { withClient } from '../access';
import type { Login } from '../access';
import { EventArchive } from '../cluster/archive';
import { ClusterLog } from '../cluster/log';
import { clusterSchemaOf } from '../cluster/schema';
import { pendingMigrations } from '../data-source';
import { TextPool } from '../pool';
import { isTransientStoreError } from '../transient';
import { replicationOf } from './replication';

let test: TestServer;
let database: string;

beforeAll(async () => {
  test = await startTestServer();
  database = await test.clusterDatabase();
}, 60_000);
afterAll(() => test.stop());

/** Port 1 is reserved and served by nobody. */
const CLOSED = { host: '127.0.0.1', port: 1 };

const errorOf = (work: Promise<unknown>): Promise<unknown> => work.catch((error: unknown) => error);

describe('connections to several PostgreSQL hosts', () => {
  let pools: { end(): Promise<void> }[];
  let patroni: Server[];

  beforeEach(() => {
    pools = [];
    patroni = [];
  });
  afterEach(async () => {
    await Promise.all(pools.map((pool) => pool.end()));
    for (const server of patroni) server.close();
  });

  const among = (more: Partial<Login>): Login => {
    const { host, port } = test.access.app;
    return { ...test.access.app, host: 'nowhere', port: 9, hosts: [CLOSED, { host, port }], ...more };
  };
  const open = (login: Login, findPrimaryMs = 5_000): TextPool => {
    const pool = new TextPool(login, database, { connections: 2, findPrimaryMs });
    pools.push(pool);
    return pool;
  };
  /** What Patroni's REST API says on one path; the real one stands in the services' tests. */
  const leaderSays = async (status: number): Promise<string> => {
    const server = createServer((request, response) => {
      response.statusCode = request.url === '/primary' ? status : 404;
      response.end('{}');
    });
    patroni.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  };
  const one = (pool: TextPool): Promise<unknown> => pool.rows('one', 'SELECT 1', []);

  it('go past hosts that do not answer, with the login that was given', async () => {
    expect(await one(open(among({})))).toEqual([['1']]);
    const archive = new EventArchive(among({}), database);
    const log = new ClusterLog(among({}), database);
    pools.push({ end: () => archive.close() }, { end: () => log.close() });
    await archive.append([{ topic: 'price.ticks', partition: 0, offset: 1, event: tickRow(1).event, producer: null }]);
    expect(await log.countsByType()).toEqual({ 'price.tick': 1 });
  });

  it('serve the owner and its migrations, too', async () => {
    const { host, port } = test.access.owner;
    const hosts = [CLOSED, { host, port }];
    const access = { owner: { ...test.access.owner, port: 1, hosts }, app: among({}) };
    expect(
      await withClient(access.owner, database, async (client) => (await client.query('SELECT 1 AS a')).rows),
    ).toEqual([{ a: 1 }]);
    // typeorm reports the first host that does not answer; the finder has moved on by then.
    await errorOf(pendingMigrations(access, database, 'cluster'));
    expect(await pendingMigrations(access, database, 'cluster')).toEqual([]);
  });

  it('say that no host answers, once the deadline is over, with an error that may be retried', async () => {
    const pool = open(among({ hosts: [CLOSED, { ...CLOSED, port: 2 }] }), 300);
    const error = await errorOf(one(pool));
    expect(error).toMatchObject({ code: 'ECONNREFUSED' });
    expect(isTransientStoreError(error)).toBe(true);
  });

  it('do not look further when the password is wrong', async () => {
    const { host, port } = test.access.app;
    const pool = open(among({ hosts: [{ host, port }], password: 'wrong' }));
    const error = await errorOf(one(pool));
    expect(error).toMatchObject({ code: '28P01' });
    expect(isTransientStoreError(error)).toBe(false);
  });

  it('use a server only if its Patroni says that it is the primary', async () => {
    const { host, port } = test.access.app;
    const [leader, other, silent] = [await leaderSays(200), await leaderSays(503), 'http://127.0.0.1:1'];
    const hosts = [{ host, port }];
    expect(await one(open(among({ hosts, patroni: [leader] })))).toEqual([['1']]);
    for (const [url, problem] of [
      [other, /says that it is not the primary \(503\)/],
      [silent, /does not answer/],
    ] as const) {
      const error = await errorOf(one(open(among({ hosts, patroni: [url] }), 200)));
      expect((error as Error).message).toMatch(problem);
      expect(isTransientStoreError(error)).toBe(true);
    }
    expect(() => open(among({ hosts, patroni: [leader, other] }))).toThrow(/1 PostgreSQL hosts, but 2 addresses/);
  });

  it('survive the end of a connection, idle or at work', async () => {
    const pool = open(among({}));
    await one(pool);
    const end = (): Promise<unknown> =>
      withClient(test.server, database, (client) =>
        client.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'moon_app'"),
      );
    await end();
    const busy = errorOf(pool.rows('sleep', 'SELECT pg_sleep(30)', []));
    await new Promise((resolve) => setTimeout(resolve, 300));
    await end();
    expect(isTransientStoreError(await busy)).toBe(true);
    expect(await one(pool)).toEqual([['1']]);
  });

  it('leave a query that takes too long, and serve the next one', async () => {
    const pool = new TextPool(among({}), database, { connections: 1, queryMs: 200 });
    pools.push(pool);
    const error = await errorOf(pool.rows('sleep', 'SELECT pg_sleep(30)', []));
    const { host, port } = test.access.app;
    expect((error as Error).message).toBe(
      `PostgreSQL at ${host}:${port}, database ${database}, did not answer sleep within 0.2 s (timeout): it is frozen or overloaded, or the ` +
        'question goes over too much. See what it is busy with (pg_stat_activity), ask again, or ask for less.',
    );
    expect(isTransientStoreError(error)).toBe(true);
    expect(await one(pool)).toEqual([['1']]);
    // Some questions are known to take longer.
    expect(await pool.rows('nap', 'SELECT 1 FROM pg_sleep(0.5)', [], 20_000)).toEqual([['1']]);
  });

  it('keep a connection on which the server has refused something', async () => {
    const pool = new TextPool(among({}), database, { connections: 1 });
    pools.push(pool);
    const pid = async (): Promise<unknown> => pool.rows('pid', 'SELECT pg_backend_pid()', []);
    const before = await pid();
    await expect(pool.rows('wrong', 'SELECT 1/0', [])).rejects.toMatchObject({ code: '22012' });
    expect(await pid()).toEqual(before);
  });

  describe('of which one freezes in the middle', () => {
    let frozen: FreezingServer;
    const frozenAt = async (text: string): Promise<Login> => {
      const { host, port } = test.access.app;
      frozen = await freezingServer({ host, port }, text);
      return among({ hosts: [{ host: frozen.host, port: frozen.port }] });
    };
    afterEach(() => frozen.close());

    it.each<[string, string, (login: Login) => Promise<unknown>]>([
      ['whether commits wait for a standby', 'synchronous_standby_names', (login) => replicationOf(login, database)],
      ['how the schema stands', 'schema_migrations', (login) => clusterSchemaOf(login, database)],
    ])(
      '[NFM-2] say in time that %s is not known, and keep no connection',
      async (_, text, ask) => {
        const error = await errorOf(ask(await frozenAt(text)));
        expect(error).toMatchObject({ name: 'QueryTimeout' });
        expect((error as Error).message).toContain(`PostgreSQL at 127.0.0.1:${frozen.port}, database ${database}`);
        expect(isTransientStoreError(error)).toBe(true);
        await frozen.deserted();
      },
      20_000,
    );

    it('are let go of when the server does not say goodbye, either', async () => {
      const asked = withClient(await frozenAt('never'), database, async (client) => {
        const { rows } = await client.query('SELECT 1 AS a');
        frozen.freeze();
        return rows;
      });
      expect(await asked).toEqual([{ a: 1 }]);
    });
  });

  it('tell that commits are on one server only', async () => {
    const replication = await replicationOf(among({}), database);
    expect(replication).toMatchObject({ isSynchronous: false, standbys: 0 });
    expect(replication.detail).toMatch(/^0 standby servers; commits are on the primary only: bring the standby back/);
  });
});

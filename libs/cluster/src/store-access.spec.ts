import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Client } from 'pg';
import { EmittedVersions } from '@moon/events';
import {
  createLogger,
  loadConfig,
  migrateDown,
  OperatorStream,
  replicationOf,
  Retention,
  soleWork,
  startEmbeddedPostgres,
  StreamRelay,
  type EmbeddedServer,
  type LogDrop,
  type RelayedRow,
} from '@moon/infra';
import { depositRow, tickRow } from '../../kernel/src/contracts/event-store.contract';
import { withClient } from '../../infra/src/testing/postgres';
import { clusterConfigSchema, type ClusterConfig } from './config';
import { openStore } from './connections';
import { prepareClusterStore } from './prepare';
import { openClusterReader } from './reader';
import { checkPasswords, loginOf } from './store-access';
import { until } from './testing/deployment';

const OWNER = "the owner's 'secret'";
const APP = 'the-applications';
const DATABASE = 'moon';
const LATEST = 'RetentionInPieces1700000000207';
/** Since this one the application sees which migrations there are. */
const SINCE_VISIBLE = `AppSeesSchema1700000000205, JournalRetention1700000000206, ${LATEST}`;
const DAY_MS = 86_400_000;
const logger = createLogger({ level: 'silent' });
const emitted = new EmittedVersions({});

/** A server where nothing is, as an operator finds it. */
class EmptyServer {
  private constructor(
    readonly server: EmbeddedServer,
    private readonly dataDir: string,
  ) {}

  static async start(): Promise<EmptyServer> {
    const dataDir = mkdtempSync(join(tmpdir(), 'moon-roles-'));
    return new EmptyServer(await startEmbeddedPostgres({ dataDir, settings: { fsync: 'off' } }), dataDir);
  }

  async stop(): Promise<void> {
    await this.server.stop();
    rmSync(this.dataDir, { recursive: true, force: true });
  }

  /** Settings of a process, or of the command, with these passwords. */
  config(passwords: Partial<ClusterConfig['postgres']>): ClusterConfig {
    const { host, port, user } = this.server;
    const set = { hosts: [`${host}:${port}`], superuser: user, database: DATABASE, ...passwords };
    const flags = Object.fromEntries(Object.entries(set).map(([name, value]) => [`postgres.${name}`, value]));
    return loadConfig(clusterConfigSchema, { flags });
  }

  /** With the superuser's password, as `moon store prepare` has it. */
  all(passwords: Partial<ClusterConfig['postgres']> = {}): ClusterConfig {
    const { password } = this.server;
    return this.config({ password, ownerPassword: OWNER, appPassword: APP, ...passwords });
  }
}

/** What a process says that does not start; the error of one that does. */
async function refusal(config: ClusterConfig): Promise<string> {
  try {
    const { journals, archive, log } = await openStore(config, logger, emitted);
    await Promise.all([journals.close(), archive.close(), log.close()]);
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('The store was opened.');
}

describe('a store that is not prepared', () => {
  let empty: EmptyServer;
  beforeEach(async () => {
    empty = await EmptyServer.start();
  }, 60_000);
  afterEach(() => empty.stop());

  it('ends the start of a process that has the application’s role alone, and makes nothing', async () => {
    const config = empty.config({ appPassword: APP });
    const said =
      /refuses moon_app: the store was not prepared yet, or postgres\.appPassword is not .* "moon store prepare"/;
    expect(await refusal(config)).toMatch(said);
    await expect(openClusterReader(config)).rejects.toThrow(said);
    await withClient(empty.server, 'postgres', async (client) => {
      const { rows } = await client.query("SELECT FROM pg_roles WHERE rolname LIKE 'moon%'");
      expect(rows).toEqual([]);
    });
  });

  it('is made by a process that has the superuser’s password, as on a machine of one’s own', async () => {
    const { password } = empty.server;
    const { access, journals, archive, log } = await openStore(empty.config({ password }), logger, emitted);
    await Promise.all([journals.close(), archive.close(), log.close()]);
    expect(access.owner?.user).toBe('moon_owner');
    expect(await prepareClusterStore(empty.config({ password }))).toMatchObject({
      databaseOutcome: 'kept',
      roles: { owner: 'kept', app: 'kept' },
      migrations: [],
    });
  });

  it('gets chosen passwords in the place of derived ones; a process without them is told', async () => {
    const { password } = empty.server;
    const derived = empty.config({ password });
    await prepareClusterStore(derived);
    const { roles } = await prepareClusterStore(empty.all());
    expect(roles).toEqual({ owner: 'password set', app: 'password set' });
    expect(await refusal(derived)).toMatch(
      /refuses moon_owner: the role has another password than these settings say\. Give postgres\.ownerPassword/,
    );
    const { journals, archive, log } = await openStore(empty.config({ appPassword: APP }), logger, emitted);
    await Promise.all([journals.close(), archive.close(), log.close()]);
  });

  it('leaves a database of somebody else’s as it is', async () => {
    await withClient(empty.server, 'postgres', (client) => client.query(`CREATE DATABASE ${DATABASE}`));
    await expect(prepareClusterStore(empty.all())).rejects.toThrow(
      /Database moon belongs to \w+: name another one .* OWNER TO moon_owner/,
    );
  });
});

describe('a store that is prepared', () => {
  let empty: EmptyServer;
  let config: ClusterConfig;
  beforeAll(async () => {
    empty = await EmptyServer.start();
    config = empty.config({ appPassword: APP });
    expect(await prepareClusterStore(empty.all())).toEqual({
      database: DATABASE,
      databaseOutcome: 'made',
      roles: { owner: 'made', app: 'made' },
      migrations: expect.arrayContaining([LATEST]) as string[],
    });
  }, 60_000);
  afterAll(() => empty.stop());

  const asOwner = <T>(work: Parameters<typeof withClient<T>>[2]): Promise<T> =>
    withClient(loginOf(config, 'moon_owner', OWNER), DATABASE, work);

  const monthOf = (at: number): string => `events_${new Date(at).toISOString().slice(0, 7).replace('-', '_')}`;
  const partitions = (): Promise<string[]> =>
    asOwner(async (client) => {
      const inherited = "SELECT inhrelid::regclass::text AS name FROM pg_inherits WHERE inhparent = 'events'::regclass";
      return (await client.query<{ name: string }>(inherited)).rows.map(({ name }) => name);
    });

  it('is not changed by preparing it again, neither by the superuser nor by the owner', async () => {
    const kept = { database: DATABASE, databaseOutcome: 'kept', migrations: [] };
    expect(await prepareClusterStore(empty.all())).toEqual({ ...kept, roles: { owner: 'kept', app: 'kept' } });
    expect(await prepareClusterStore(empty.config({ ownerPassword: OWNER }))).toEqual({ ...kept, roles: null });
  });

  it('gives a process with the application’s role alone all that it does', async () => {
    const { access, journals, archive, log } = await openStore(config, logger, emitted);
    const relayed: RelayedRow[] = [];
    const relay = new StreamRelay(access.app, DATABASE, (rows) => Promise.resolve(void relayed.push(...rows)));
    const operators = new OperatorStream(access.app, DATABASE);
    try {
      expect(access.owner).toBeUndefined();
      relay.start();
      const journal = journals.open('execution#0');
      await journal.claim('spec');
      await journal.append({ afterSeq: 0, toSeq: 1, entries: [], publishedSeq: 0 }, [depositRow(1, 1)]);
      // One long past, and two months that have no partitions yet.
      const [now, next] = [Date.now(), Date.now() + 31 * DAY_MS];
      const ticks = [tickRow(2), tickRow(3, { at: now }), tickRow(4, { at: next })];
      const message = { topic: 'price.ticks', partition: 0, producer: null } as const;
      await archive.append(ticks.map(({ event }, offset) => ({ ...message, offset, event })));
      expect(await partitions()).toEqual(expect.arrayContaining([monthOf(now), monthOf(next)]));
      await until(() => relayed.length === 1);
      expect(relayed[0]).toMatchObject({ shard: 'execution#0', version: 1 });
      expect((await log.query({ types: ['price.tick'], limit: 10 })).rows.map(({ event }) => event.id)).toEqual(
        ticks.map(({ event }) => event.id),
      );
      expect(await operators.now()).toBeGreaterThan(now - 60_000);
      expect((await replicationOf(access.app, DATABASE)).detail).toMatch(/^0 standby servers/);
      expect(await soleWork({ login: access.app, database: DATABASE, what: 'spec' }, () => Promise.resolve(1))).toBe(1);
      const dropped: LogDrop[] = [];
      await new Retention(access.app, DATABASE).dropExpired((drop) => dropped.push(drop));
      expect(dropped).toMatchObject([{ events: 1 }]);
    } finally {
      await relay.stop();
      await Promise.all([journals.close(), archive.close(), log.close(), operators.close()]);
    }
  }, 60_000);

  const refuses = (statement: string): Promise<void> =>
    withClient(loginOf(config, 'moon_app', APP), DATABASE, (client) =>
      expect(client.query(statement)).rejects.toMatchObject({ code: '42501' }),
    );

  it.each([
    ...['events', 'stream_events', 'journal', 'log_drops', 'journal_drops'].flatMap((table) => [
      `UPDATE ${table} SET ${{ journal: 'entries', log_drops: 'events', journal_drops: 'batches' }[table] ?? 'data'} = NULL`,
      `DELETE FROM ${table}`,
      `TRUNCATE ${table}`,
      `DROP TABLE ${table}`,
      `ALTER TABLE ${table} DISABLE TRIGGER ALL`,
    ]),
  ])('[SYS-3] refuses the application a change of the log: %s', refuses);

  it.each([
    "UPDATE retention_policy SET keep = INTERVAL '1 day'",
    "INSERT INTO schema_migrations (timestamp, name) VALUES (0, 'x')",
    'DELETE FROM schema_migrations',
    'CREATE TABLE events_2099_01 (id integer)',
    'CREATE FUNCTION refuse_change_no_more() RETURNS void LANGUAGE sql AS $$ $$',
    'DROP FUNCTION ensure_partitions',
    'CREATE ROLE accomplice',
    'ALTER ROLE moon_app CREATEROLE',
    'SET ROLE moon_owner',
    'CREATE DATABASE elsewhere',
    'SELECT rolpassword FROM pg_authid',
  ])('refuses the application what only the owner or the superuser may: %s', refuses);

  it('says which password is wrong, and which database is not there', async () => {
    const { password } = empty.server;
    expect(await refusal(empty.config({ appPassword: 'another' }))).toMatch(
      /refuses moon_app: .* postgres\.appPassword is not what it was prepared with/,
    );
    expect(await refusal(empty.config({ password: 'another' }))).toMatch(
      /refuses \w+: correct postgres\.superuser and/,
    );
    await expect(prepareClusterStore(empty.config({ ownerPassword: 'another' }))).rejects.toThrow(
      /refuses moon_owner: .* postgres\.ownerPassword is not what it was prepared with/,
    );
    expect(await refusal(empty.config({ appPassword: APP, database: 'elsewhere' }))).toMatch(
      /^Database elsewhere at .* is not there: run "moon store prepare"/,
    );
    const elsewhere = empty.config({ password, ownerPassword: OWNER, appPassword: APP, database: 'elsewhere' });
    expect(await prepareClusterStore(elsewhere)).toMatchObject({ databaseOutcome: 'made', roles: { owner: 'kept' } });
  });

  it('ends the start on an older schema, and serves on a newer one', async () => {
    const older = empty.all({ database: 'older' });
    await prepareClusterStore(older);
    const process = empty.config({ appPassword: APP, database: 'older' });
    const owner = loginOf(older, 'moon_owner', OWNER);
    const inOlder = (...statements: string[]): Promise<void> =>
      withClient(owner, 'older', async (client) => {
        for (const statement of statements) await client.query(statement);
      });
    const lacks = (names: string): RegExp =>
      new RegExp(`is older than this version needs \\(it lacks ${names}\\): run "moon store prepare" of this version`);
    await migrateDown({ owner, app: owner }, 'older', 'cluster', 1);
    expect(await refusal(process)).toMatch(lacks(LATEST));
    await inOlder('REVOKE SELECT ON schema_migrations FROM moon_app');
    expect(await refusal(process)).toMatch(lacks(SINCE_VISIBLE));
    await inOlder('GRANT SELECT ON schema_migrations TO moon_app');
    expect((await prepareClusterStore(empty.config({ ownerPassword: OWNER, database: 'older' }))).migrations).toEqual([
      LATEST,
    ]);
    await inOlder("INSERT INTO schema_migrations (timestamp, name) VALUES (1900000000000, 'Later1900000000000')");
    const { journals, archive, log } = await openStore(process, logger, emitted);
    await Promise.all([journals.close(), archive.close(), log.close()]);
    await inOlder('DROP TABLE schema_migrations');
    expect(await refusal(process)).toMatch(/it lacks EventLog1700000000001, /);
  });

  it('waits for people’s questions as long as they take, among several servers, too', async () => {
    const [host] = config.postgres.hosts;
    const reader = await openClusterReader(empty.config({ appPassword: APP, hosts: ['127.0.0.1:1', host!] }));
    const longer = async (client: Client): Promise<unknown> => {
      await client.query('BEGIN');
      await client.query('LOCK TABLE stream_events IN ACCESS EXCLUSIVE MODE');
      const found = reader.inspection.eventsByIdPrefix('00', 1);
      const [answer] = await Promise.all([
        found,
        client.query('SELECT pg_sleep(2.5)').then(() => client.query('COMMIT')),
      ]);
      return answer;
    };
    try {
      expect(await asOwner(longer)).toEqual(expect.any(Array));
    } finally {
      await reader.close();
    }
  }, 20_000);

  it('says so when the application’s role was made anew after the schema', async () => {
    await prepareClusterStore(empty.all({ database: 'restored' }));
    await withClient(loginOf(config, 'moon_owner', OWNER), 'restored', (client) =>
      client.query('REVOKE ALL ON ALL TABLES IN SCHEMA public FROM moon_app'),
    );
    await expect(prepareClusterStore(empty.all({ database: 'restored' }))).rejects.toThrow(
      /is the newest one, but moon_app may not read it: the role was made anew/,
    );
  });

  it('keeps what is stored from the owner, too', async () => {
    await asOwner(async (client) => {
      for (const statement of ['DELETE FROM events', "UPDATE stream_events SET key = 'x'", 'TRUNCATE journal'])
        await expect(client.query(statement)).rejects.toMatchObject({ code: 'MN403' });
    });
  });
});

describe('passwords in settings', () => {
  const problemsOf = (postgres: object, isPreparing?: boolean): string => {
    const config = loadConfig(clusterConfigSchema, {
      flags: Object.fromEntries(Object.entries(postgres).map(([name, value]) => [`postgres.${name}`, value])),
    });
    try {
      checkPasswords(config, isPreparing);
      return '';
    } catch (error) {
      return (error as Error).message;
    }
  };

  it.each<[string, object, boolean, RegExp]>([
    ['a process: the owner’s alone', { ownerPassword: 'o' }, false, /a process works with the application’s/],
    [
      'a process: the owner’s and the superuser’s',
      { password: 's', ownerPassword: 'o' },
      false,
      /without "postgres\.app/,
    ],
    ['a process: one for both roles', { ownerPassword: 'x', appPassword: 'x' }, false, /must differ/],
    ['a process: the superuser’s for the application', { password: 'x', appPassword: 'x' }, false, /must differ/],
    ['preparing: none', {}, true, /Neither "postgres\.password"/],
    ['preparing: the application’s alone', { appPassword: 'a' }, true, /Neither "postgres\.password"/],
    ['preparing: half', { password: 's', ownerPassword: 'o' }, true, /give both, or neither/],
  ])('are refused of %s', (_what, postgres, isPreparing, message) => {
    expect(problemsOf(postgres, isPreparing)).toMatch(message);
  });

  it.each<[string, object, boolean]>([
    ['a process: none, as on a machine that trusts everybody', {}, false],
    ['a process: the superuser’s', { password: 's' }, false],
    ['a process: the application’s', { appPassword: 'a' }, false],
    ['preparing: the owner’s alone', { ownerPassword: 'o' }, true],
    ['preparing: all', { password: 's', ownerPassword: 'o', appPassword: 'a' }, true],
    ['preparing: the superuser’s, from which the others are derived', { password: 's' }, true],
  ])('are taken of %s', (_what, postgres, isPreparing) => {
    expect(problemsOf(postgres, isPreparing)).toBe('');
  });
});

it('[EVS-1] a store that nobody answers for is named, with the setting that says where it is', async () => {
  const set = { 'postgres.hosts': '["127.0.0.1:1"]', 'postgres.password': 'x' };
  const config = loadConfig(clusterConfigSchema, { env: {}, set });
  await expect(openStore(config, logger, emitted)).rejects.toThrow(
    'No PostgreSQL answers at 127.0.0.1:1 (ECONNREFUSED): check postgres.hosts (MOON_POSTGRES__HOSTS) and that the servers run.',
  );
});

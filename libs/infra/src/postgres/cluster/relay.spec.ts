import { depositRow, tickRow } from '../../../../kernel/src/contracts/event-store.contract';
import type { JournalBatch, LogRow, ShardJournal } from '@moon/kernel';
import type { Client } from 'pg';
import { startTestServer } from '../../testing/postgres';
import type { TestServer } from '../../testing/postgres';
import { withClient } from '../access';
import { toStoredRow } from '../rows';
import { EventArchive } from './archive';
import { StreamRelay } from './relay';
import type { HeldBack, RelayedRow, RelayOptions } from './relay';
import { RelayFenced } from './relay-lease';
import { ShardJournals } from './shard-journal';

let test: TestServer;

beforeAll(async () => {
  test = await startTestServer();
}, 60_000);
afterAll(() => test.stop());

const WRITERS = 8;
const BATCHES = 40;

const until = async (condition: () => boolean | Promise<boolean>, what: string): Promise<void> => {
  for (let tries = 0; !(await condition()); tries += 1) {
    if (tries > 1_500) throw new Error(`Waited in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
};

const batchAfter = (afterSeq: number): JournalBatch => ({
  afterSeq,
  toSeq: afterSeq + 1,
  entries: [],
  publishedSeq: 0,
});

/** Versions of the rows of one portfolio, in the order in which they were published. */
const versionsOf = (rows: readonly LogRow[], portfolio = 'main'): (number | undefined)[] =>
  rows.filter(({ event }) => event.key === portfolio).map(({ version }) => version);

const oneTo = (last: number): number[] => Array.from({ length: last }, (_, index) => index + 1);

describe('the relay of stream events', () => {
  let database: string;
  let relays: StreamRelay[];
  let journals: ShardJournals;
  let errors: Error[];

  beforeEach(async () => {
    database = await test.clusterDatabase();
    relays = [];
    errors = [];
    journals = new ShardJournals(test.access.app, database, { connections: WRITERS });
  });
  afterEach(async () => {
    await Promise.all(relays.map((relay) => relay.stop()));
    await journals.close();
  });

  const claimed = async (shard: string): Promise<ShardJournal> => {
    const journal = journals.open(shard);
    await journal.claim('spec');
    return journal;
  };
  const startRelay = (
    publish: (rows: readonly RelayedRow[]) => Promise<void>,
    options: RelayOptions = {},
  ): StreamRelay => {
    const onError = (error: Error): void => void errors.push(error);
    const relay = new StreamRelay(test.access.app, database, publish, {
      batchRows: 50,
      retryMs: 5,
      onError,
      ...options,
    });
    relays.push(relay);
    relay.start();
    return relay;
  };
  /** Deposits 1 to `last` of one portfolio, one in a batch. */
  const deposit = async (journal: ShardJournal, from: number, last: number, portfolio = 'main'): Promise<void> => {
    for (let version = from; version <= last; version += 1) {
      await journal.append(batchAfter(version - 1), [depositRow(version, version, portfolio)]);
    }
  };
  const cursor = async (): Promise<{ epoch: number; position: number }> =>
    withClient(test.access.app, database, async (client) => {
      const { rows } = await client.query<{ epoch: number; position: number }>(
        'SELECT epoch::integer, position::integer FROM relay_cursors',
      );
      return rows[0] ?? { epoch: 0, position: 0 };
    });

  const renewedAt = async (): Promise<string> =>
    withClient(test.access.app, database, async (client) => {
      const { rows } = await client.query<{ at: string }>('SELECT renewed_at::text AS at FROM relay_cursors');
      return rows[0]!.at;
    });

  it('loses nothing of shards whose transactions overlap, keeps each stream in order, and names the shard', async () => {
    const published: RelayedRow[] = [];
    startRelay(async (rows) => void published.push(...rows));
    /** Batches of three deposits, half of them in a transaction that stays open for a while. */
    const write = async (writer: number): Promise<void> => {
      const [portfolio, shard] = [`p${writer}`, `execution#${writer}`];
      const journal = await claimed(shard);
      // The month's partition.
      await journal.append(batchAfter(0), [depositRow(1, 1, portfolio)]);
      await withClient(test.access.app, database, async (client) => {
        for (let batch = 1; batch <= BATCHES; batch += 1) {
          const rows = [0, 1, 2].map((index) => depositRow(batch * 3 + index, batch * 3 - 1 + index, portfolio));
          if (batch % 2 === 0) {
            await journal.append(batchAfter(batch), rows);
            continue;
          }
          await client.query('BEGIN');
          await appendWith(client, shard, batchAfter(batch), rows);
          await client.query('SELECT pg_sleep($1)', [((writer * 7 + batch) % 10) / 1000]);
          await client.query('COMMIT');
        }
      });
    };
    await Promise.all(Array.from({ length: WRITERS }, (_, writer) => write(writer)));
    const each = BATCHES * 3 + 1;
    await until(() => published.length >= WRITERS * each, 'everything published');

    expect(published).toHaveLength(WRITERS * each);
    for (let writer = 0; writer < WRITERS; writer += 1) {
      expect(versionsOf(published, `p${writer}`)).toEqual(oneTo(each));
      const shards = published.filter(({ event }) => event.key === `p${writer}`).map(({ shard }) => shard);
      expect(new Set(shards)).toEqual(new Set([`execution#${writer}`]));
    }
    expect(errors).toEqual([]);
  });

  it('publishes stream events only, never archived bus events', async () => {
    const published: RelayedRow[] = [];
    startRelay(async (rows) => void published.push(...rows));
    const archive = new EventArchive(test.access.app, database);
    await archive.append([
      { topic: 'price.ticks', partition: 0, offset: 1, event: tickRow(1).event, producer: 'agent/chart#0' },
    ]);
    await archive.close();
    await deposit(await claimed('execution#0'), 1, 1);
    await until(() => published.length > 0, 'the deposit published');
    expect(published.map(({ event }) => event)).toEqual([depositRow(1, 1).event]);
  });

  it('holds back what is not yet certain, and says whose transaction it waits for', async () => {
    const published: RelayedRow[] = [];
    const reports: HeldBack[] = [];
    const relay = startRelay(async (rows) => void published.push(...rows), {
      pollMs: 10,
      heldBackMs: 50,
      onHeldBack: (held) => reports.push(held),
    });
    const [quick, slow] = [await claimed('execution#0'), await claimed('execution#1')];
    await slow.append(batchAfter(0), [depositRow(1, 1, 'first')]);
    await until(() => published.length === 1, 'the first one');
    await withClient(test.access.app, database, async (client) => {
      await client.query("SET application_name = 'sleeper'");
      await client.query('BEGIN');
      await appendWith(client, 'execution#1', batchAfter(1), [depositRow(2, 1, 'slow')]);
      await quick.append(batchAfter(0), [depositRow(3, 1, 'quick')]);
      await until(() => reports.length > 0, 'the report');
      expect(published).toHaveLength(1);
      expect(await relay.status()).toMatchObject({ isActive: true, waiting: 1, published: 1 });
      expect((await relay.status()).heldBackMs).toBeGreaterThan(0);
      await client.query('COMMIT');
    });
    await until(() => published.length === 3, 'both');
    expect(published.map(({ event }) => event.key)).toEqual(['first', 'slow', 'quick']);
    expect(reports).toHaveLength(1);
    expect(reports[0]!.detail).toMatch(/^Transaction \d+ of backend \d+ .*application "sleeper", user moon_app/);
    await until(async () => (await relay.status()).waiting === 0, 'the cursor');
    expect(await relay.status()).toMatchObject({ heldBackMs: 0, published: 3 });
  });

  it('publishes a batch again when it was not acknowledged, and goes on where it stopped', async () => {
    const journal = await claimed('execution#0');
    await deposit(journal, 1, 3);
    const attempts: (number | undefined)[][] = [];
    let failures = 2;
    const publish = async (rows: readonly LogRow[]): Promise<void> => {
      attempts.push(rows.map(({ version }) => version));
      if (failures-- > 0) throw new Error('The broker is down.');
    };
    const relay = startRelay(publish, { batchRows: 2 });
    await until(() => attempts.flat().includes(3), 'the third');
    expect(attempts).toEqual([[1, 2], [1, 2], [1, 2], [3]]);
    await relay.stop();
    relays = [];

    await deposit(journal, 4, 4);
    const later: RelayedRow[] = [];
    startRelay(async (rows) => void later.push(...rows));
    await until(() => later.length > 0, 'the fourth');
    expect(versionsOf(later)).toEqual([4]);
  });

  const elsewhere = (tx: string, position: number): Promise<unknown> =>
    withClient(test.access.app, database, (client) =>
      client.query(
        `INSERT INTO relay_cursors (relay, cluster, tx, position) VALUES ('stream-events', 'another', ${tx}::xid8, ${position})
          ON CONFLICT (relay) DO UPDATE SET cluster = 'another'`,
      ),
    );

  it('goes on where it was when the server was upgraded: transaction ids go on, whatever its identity', async () => {
    const [first, second] = [await claimed('execution#0'), await claimed('execution#1')];
    const published: RelayedRow[] = [];
    const relay = startRelay(async (rows) => void published.push(...rows));
    // The last transaction to begin takes its position before another one: the cursor's position is not the greatest.
    await second.append(batchAfter(0), [depositRow(1, 1, 'other')]);
    await withClient(test.access.app, database, async (client) => {
      await client.query('BEGIN');
      await appendWith(client, 'execution#1', batchAfter(1), [depositRow(2, 2, 'other')]);
      await deposit(first, 1, 3);
      await appendWith(client, 'execution#1', batchAfter(2), [depositRow(3, 3, 'other')]);
      await client.query('COMMIT');
    });
    await until(async () => published.length === 6 && (await relay.status()).waiting === 0, 'all of the past');
    await relay.stop();
    relays = [];
    await elsewhere("'0'", 0);
    await deposit(first, 4, 5);
    const later: RelayedRow[] = [];
    startRelay(async (rows) => void later.push(...rows));
    await until(() => versionsOf(later).includes(5), 'the rest');
    expect(versionsOf(later)).toEqual([4, 5]);
    expect(versionsOf(later, 'other')).toEqual([]);
  });

  it.each([
    ['has not come to yet', "'999999999'", 999_999_999],
    ['has passed, with rows of its own below', 'pg_snapshot_xmin(pg_current_snapshot())', 0],
  ])(
    'starts from the beginning when its cursor is of a server whose transaction ids this one %s',
    async (_, tx, at) => {
      await deposit(await claimed('execution#0'), 1, 1);
      await elsewhere(tx, at);
      await withClient(test.access.app, database, (client) => client.query('SELECT pg_current_xact_id()'));
      const published: RelayedRow[] = [];
      startRelay(async (rows) => void published.push(...rows));
      await until(() => published.length > 0, 'the first');
      expect(versionsOf(published)).toEqual([1]);
    },
  );

  it('goes on after a restore row by row, when transaction ids were moved above those of the log first', async () => {
    const journal = await claimed('execution#0');
    await deposit(journal, 1, 3);
    // Written as by another server, whose ids were lower; its cursor was at the second one.
    await withClient(test.server, database, async (client) => {
      await client.query('SET session_replication_role = replica');
      await client.query('UPDATE stream_events SET tx = (version + 100)::text::xid8');
      const { rows } = await client.query('SELECT tx::text, position::int FROM stream_events WHERE version = 2');
      await elsewhere(`'${rows[0].tx}'`, rows[0].position);
    });
    await deposit(journal, 4, 4);
    const published: RelayedRow[] = [];
    startRelay(async (rows) => void published.push(...rows));
    await until(() => versionsOf(published).includes(4), 'the rest');
    expect(versionsOf(published)).toEqual([3, 4]);
  });

  it('works alone: the second one stands by, and takes over when the first one ends', async () => {
    const [byFirst, bySecond]: [RelayedRow[], RelayedRow[]] = [[], []];
    const journal = await claimed('execution#0');
    const first = startRelay(async (rows) => void byFirst.push(...rows), { owner: 'first' });
    await until(async () => (await first.status()).isActive, 'the first one at work');
    const second = startRelay(async (rows) => void bySecond.push(...rows), { owner: 'second' });
    await deposit(journal, 1, 30);
    await until(() => byFirst.length === 30, 'all by the first one');
    expect((await second.status()).isActive).toBe(false);
    await first.stop();
    relays = [second];
    await deposit(journal, 31, 40);
    await until(() => bySecond.length === 10, 'the rest by the second one');
    expect(versionsOf([...byFirst, ...bySecond])).toEqual(oneTo(40));
    expect(errors).toEqual([]);
  });

  it('is replaced when it is frozen, and when it thaws moves no cursor back and publishes nothing more', async () => {
    const journal = await claimed('execution#0');
    const [byFrozen, byOther]: [RelayedRow[], RelayedRow[]] = [[], []];
    let thaw: () => void = () => undefined;
    const frozen = new Promise<void>((resolve) => (thaw = resolve));
    let isFreezing = false;
    const first = startRelay(
      async (rows) => {
        byFrozen.push(...rows);
        if (isFreezing) await frozen;
      },
      { owner: 'frozen', leaseMs: 300, batchRows: 5 },
    );
    await deposit(journal, 1, 5);
    await until(async () => (await first.status()).published === 5, 'the first five');
    isFreezing = true;
    await deposit(journal, 6, 12);
    await until(() => byFrozen.length > 5, 'a batch that hangs');
    const second = startRelay(async (rows) => void byOther.push(...rows), {
      owner: 'other',
      leaseMs: 300,
      batchRows: 5,
    });
    await until(() => versionsOf(byOther).includes(12), 'the other one');
    const before = await cursor();
    thaw();
    await until(() => errors.some((error) => error instanceof RelayFenced), 'the frozen one is fenced off');
    await deposit(journal, 13, 20);
    await until(() => versionsOf(byOther).includes(20), 'the rest');

    // The batch that hung was published twice, as after a crash; everything else once, and all in order.
    expect(versionsOf(byOther)).toEqual(oneTo(20).slice(5));
    expect(byFrozen.length).toBeLessThanOrEqual(10);
    expect(versionsOf(byFrozen)).toEqual(oneTo(byFrozen.length));
    await until(async () => (await second.status()).waiting === 0, 'the cursor at the end');
    const after = await cursor();
    expect(after.position).toBeGreaterThan(before.position);
    expect(after.epoch).toBe(before.epoch);
    expect((await first.status()).isActive).toBe(false);
    expect((await second.status()).isActive).toBe(true);
  });

  it('keeps its lease while it is idle', async () => {
    const relay = startRelay(async () => undefined, { leaseMs: 1_000, pollMs: 20 });
    await until(async () => (await relay.status()).isActive, 'at work');
    const standby = startRelay(async () => undefined, { leaseMs: 1_000 });
    const { epoch } = await cursor();
    const renewals = new Set<string>();
    await until(async () => renewals.add(await renewedAt()).size > 10, 'ten signs of life');
    expect(await cursor()).toMatchObject({ epoch });
    expect((await standby.status()).isActive).toBe(false);
  });

  it('reads again what it may have missed when it loses its connections', async () => {
    const published: RelayedRow[] = [];
    const relay = startRelay(async (rows) => void published.push(...rows), { pollMs: 60_000 });
    const journal = await claimed('execution#0');
    await deposit(journal, 1, 3);
    await until(() => published.length === 3, 'the first three');
    const { epoch } = await cursor();
    await withClient(test.server, database, (client) =>
      client.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND query = 'LISTEN stream_events'",
      ),
    );
    await until(() => errors.length > 0, 'the loss noticed');
    await deposit(journal, 4, 6);
    await until(() => published.length >= 6, 'the rest');
    expect(versionsOf(published)).toEqual(oneTo(6));
    expect((await cursor()).epoch).toBe(epoch + 1);
    expect(await relay.status()).toMatchObject({ isActive: true });
  });
});

/** The same statement as the journal's, inside a transaction of the caller. */
async function appendWith(client: Client, shard: string, batch: JournalBatch, rows: readonly LogRow[]): Promise<void> {
  const [first, last] = [rows[0]!, rows[rows.length - 1]!];
  await client.query("SELECT append_journal($1, 1, $2, $3, 0, '[]', $4, $5, $6, $7)", [
    shard,
    batch.afterSeq,
    batch.toSeq,
    JSON.stringify(rows.map(toStoredRow)),
    [first.streamId],
    [first.version! - 1],
    [last.version],
  ]);
}

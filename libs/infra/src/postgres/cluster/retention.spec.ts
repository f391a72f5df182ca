import { createHash } from 'node:crypto';
import type { AnyEvent } from '@moon/events';
import type { BusMessage } from '@moon/kernel';
import { depositRow, tickRow } from '../../../../kernel/src/contracts/event-store.contract';
import { startTestServer } from '../../testing/postgres';
import type { TestServer } from '../../testing/postgres';
import { withClient } from '../access';
import { migrateDown, migrateUp } from '../data-source';
import { EventArchive } from './archive';
import { ClusterLog } from './log';
import { Retention, type DropOptions, type JournalDrop, type LogDrop } from './retention';
import { ShardJournals } from './shard-journal';

let test: TestServer;

beforeAll(async () => {
  test = await startTestServer();
}, 60_000);
afterAll(() => test.stop());

const FEBRUARY = Date.UTC(2024, 1, 1);
const TICKS = 2_500;

const sha256 = (...parts: (string | Buffer)[]): Buffer => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
};

/** As whoever has exported the events would check them: 1024 children each, three levels below the root. */
function merkleRoot(events: readonly AnyEvent[]): string {
  let level = events.map(({ id, occurredAt, type, schemaVersion, source, key, data, ...event }) => {
    const cause = event.causationId ?? '-';
    const headers = event.headers ? JSON.stringify(event.headers) : '-';
    const texts = [
      id,
      occurredAt,
      type,
      schemaVersion,
      source,
      key,
      event.correlationId,
      cause,
      JSON.stringify(data),
      headers,
    ];
    return sha256(texts.join('\u001f'));
  });
  for (let depth = 1; depth <= 2; depth += 1) {
    level = Array.from({ length: Math.ceil(level.length / 1024) }, (_, at) =>
      sha256(...level.slice(at * 1024, (at + 1) * 1024)),
    );
  }
  return sha256(...level).toString('hex');
}

const messageOf = (event: AnyEvent, offset: number): BusMessage => ({
  topic: 'price.ticks',
  partition: 0,
  offset,
  event,
  producer: null,
});

describe('retention of bus events', () => {
  let database: string;
  let archive: EventArchive;
  let log: ClusterLog;
  let retention: Retention;

  beforeEach(async () => {
    database = await test.clusterDatabase();
    archive = new EventArchive(test.access.app, database);
    log = new ClusterLog(test.access.app, database);
    retention = new Retention(test.access.app, database);
  });
  afterEach(() => Promise.all([archive.close(), log.close()]));

  async function dropped(options?: DropOptions): Promise<LogDrop[]> {
    const drops: LogDrop[] = [];
    await retention.dropExpired((drop) => drops.push(drop), options);
    return drops;
  }

  const rows = <T extends object>(text: string): Promise<T[]> =>
    withClient(test.access.owner, database, async (client) => (await client.query<T>(text)).rows);
  /** Five events of January, and their copies on the broker. */
  async function copied(): Promise<void> {
    const old = Array.from({ length: 5 }, (_, index) => tickRow(index, { at: FEBRUARY - 10 + index }).event);
    await archive.append(old.map(messageOf));
    await archive.append(old.map((event, index) => messageOf(event, 100 + index)));
  }
  const references = async (): Promise<number> =>
    (await rows<{ left: number }>('SELECT count(*)::integer AS left FROM bus_references'))[0]!.left;
  /** What the recorder may wait for at most, ms. */
  const PATIENCE_MS = 2_000;
  const inTime = <T>(work: Promise<T>): Promise<T | string> =>
    Promise.race([work, new Promise<string>((done) => setTimeout(done, PATIENCE_MS, 'too late').unref())]);

  it('[EVS-3] drops whole months that have expired, each written down with range, count and Merkle root', async () => {
    const old = Array.from({ length: TICKS }, (_, index) => tickRow(index, { at: FEBRUARY + index }).event);
    const older = [tickRow(9_000, { at: FEBRUARY - 2 }).event, tickRow(9_001, { at: FEBRUARY - 1 }).event];
    const recent = tickRow(9_002, { at: Date.now() }).event;
    await archive.append([...old, ...older, recent].map(messageOf));
    const journals = new ShardJournals(test.access.app, database);
    const journal = journals.open('execution#0');
    await journal.claim('spec');
    await journal.append({ afterSeq: 0, toSeq: 1, entries: [], publishedSeq: 0 }, [depositRow(1, 1)]);
    await journals.close();

    const drops = await dropped({ nodes: 1 });
    expect(drops).toEqual([
      expect.objectContaining({ from: Date.UTC(2024, 0, 1), to: FEBRUARY, events: 2, merkleRoot: merkleRoot(older) }),
      expect.objectContaining({ from: FEBRUARY, to: Date.UTC(2024, 2, 1), events: TICKS, merkleRoot: merkleRoot(old) }),
    ]);
    expect(await retention.drops()).toEqual(drops);
    expect(await dropped()).toEqual([]);
    // Streams stay, however old; so does what is younger than the policy says.
    expect(await log.countsByType()).toEqual({ 'portfolio.deposited': 1, 'price.tick': 1 });
  });

  it('makes room again for an event of a month that was dropped', async () => {
    await archive.append([messageOf(tickRow(1).event, 1)]);
    expect(await dropped()).toHaveLength(1);
    const later = new EventArchive(test.access.app, database);
    await later.append([messageOf(tickRow(1).event, 1)]);
    await later.close();
    expect(await log.countsByType()).toEqual({ 'price.tick': 1 });
  });

  it('makes room again for one who was at work before the month was dropped, too, and knew of its partition', async () => {
    await archive.append([messageOf(tickRow(1).event, 1)]);
    expect(await dropped()).toHaveLength(1);
    expect(await archive.append([messageOf(tickRow(2).event, 2)])).toMatchObject({ stored: 1 });
    expect(await log.countsByType()).toEqual({ 'price.tick': 1 });
  });

  it('[EVS-3] lets others store and read while references of what was dropped go, some at a time', async () => {
    await copied();
    const young = messageOf(tickRow(50, { at: Date.now() }).event, 50);
    await archive.append([young, { ...young, offset: 51 }]);
    await withClient(test.access.owner, database, async (other) => {
      await other.query('BEGIN');
      await other.query('SELECT FROM bus_references WHERE bus_offset = 100 FOR UPDATE');
      const told: LogDrop[] = [];
      const done = retention.dropExpired((drop) => told.push(drop), { references: 2 });
      while (told.length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
      const event = tickRow(60, { at: Date.now() }).event;
      expect(await inTime(archive.append([messageOf(event, 60)]))).toMatchObject({ stored: 1 });
      expect(await inTime(log.countsByType())).toEqual({ 'price.tick': 2 });
      expect(await references()).toBe(6);
      await other.query('COMMIT');
      await done;
    });
    // The one that is left is of an event that is still there.
    expect(await references()).toBe(1);
  });

  it('[EVS-3] gives way to who reads what is to go, and does not have others wait behind itself for long', async () => {
    await copied();
    await archive.append([messageOf(tickRow(50, { at: Date.now() }).event, 50)]);
    const told: LogDrop[] = [];
    let done = Promise.resolve();
    await withClient(test.access.app, database, async (reader) => {
      await reader.query('BEGIN');
      await reader.query('SELECT count(*) FROM events');
      done = retention.dropExpired((drop) => told.push(drop), { retryMs: 50 });
      for (let seq = 51; seq < 54; seq += 1) {
        const message = messageOf(tickRow(seq, { at: Date.now() }).event, seq);
        expect(await inTime(archive.append([message]))).toMatchObject({ stored: 1 });
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
      expect(told).toEqual([]);
      await reader.query('COMMIT');
    });
    await done;
    expect(told).toMatchObject([{ events: 5 }]);
  });

  it('[EVS-3] goes on where it was when it was not wanted any more, and digests anew what late events came into', async () => {
    const old = Array.from({ length: TICKS }, (_, index) => tickRow(index, { at: FEBRUARY + 1 + index }).event);
    await archive.append(old.map(messageOf));
    const digested = async (): Promise<number> =>
      (await rows<{ events: number }>('SELECT events::integer FROM drop_digest'))[0]!.events;
    let steps = 0;
    expect(await dropped({ nodes: 1, isWanted: () => (steps += 1) <= 3 })).toEqual([]);
    expect(await digested()).toBe(1_024);
    const late = tickRow(9_000, { at: FEBRUARY }).event;
    await archive.append([messageOf(late, 9_000)]);
    const drops = await dropped({ nodes: 1 });
    expect(drops).toMatchObject([{ events: TICKS + 1, merkleRoot: merkleRoot([late, ...old]) }]);
    expect(await rows('SELECT FROM drop_digest UNION ALL SELECT FROM drop_digest_nodes')).toEqual([]);
  });

  it('deletes at the next look the references that a recorder left behind that ended in the middle', async () => {
    await copied();
    let isWanted = true;
    await retention.dropExpired(() => (isWanted = false), { isWanted: () => isWanted });
    expect(await references()).toBe(5);
    let steps = 0;
    expect(await dropped({ references: 2, isWanted: () => (steps += 1) === 1 })).toEqual([]);
    expect(await references()).toBe(3);
    expect(await dropped({ references: 2 })).toEqual([]);
    expect(await references()).toBe(0);
  });

  it('[NFM-4] is what it was once its pieces are taken back', async () => {
    await copied();
    await migrateDown(test.access, database, 'cluster', 1);
    const drop = "SELECT events::integer, encode(merkle_root, 'hex') AS root FROM drop_expired_events()";
    const ticks: AnyEvent[] = [];
    for await (const { event } of log.readLog(0)) ticks.push(event);
    const asApp = withClient(test.access.app, database, async (client) => (await client.query(drop)).rows as object[]);
    expect(await asApp).toEqual([{ events: 5, root: merkleRoot(ticks) }]);
    expect(await references()).toBe(0);
  });

  it('[SYS-3] lets the application ask for it, and choose nothing', async () => {
    await archive.append([messageOf(tickRow(1).event, 1)]);
    await withClient(test.access.app, database, async (client) => {
      for (const text of [
        "UPDATE retention_policy SET keep = INTERVAL '1 day'",
        'DROP TABLE events_2024_02',
        "INSERT INTO log_drops (from_at, to_at, events, merkle_root) VALUES (now(), now(), 1, '')",
        'DELETE FROM log_drops',
        'UPDATE drop_digest SET events = 1',
        'DELETE FROM bus_references',
        'SELECT forget_drop_digest()',
      ]) {
        await expect(client.query(text)).rejects.toMatchObject({ code: '42501' });
      }
    });
    await withClient(test.access.owner, database, async (client) => {
      await client.query("UPDATE retention_policy SET keep = INTERVAL '100 years'");
      await expect(client.query("UPDATE retention_policy SET keep = INTERVAL '1 hour'")).rejects.toThrow(/check/);
    });
    expect(await dropped()).toEqual([]);
    expect(await log.countsByType()).toEqual({ 'price.tick': 1 });
  });
});

/** A batch as whoever has exported it before it was dropped would have it. */
interface Stored {
  after: string;
  to: string;
  epoch: string;
  published: string;
  at: number;
  entries: string;
}

describe('retention of journals', () => {
  const SHARD = 'execution#0';
  const DAYS_400 = "appended_at = appended_at - INTERVAL '400 days'";
  let database: string;
  let journals: ShardJournals;
  let retention: Retention;

  beforeEach(async () => {
    database = await test.clusterDatabase();
    journals = new ShardJournals(test.access.app, database);
    retention = new Retention(test.access.app, database);
  });
  afterEach(() => journals.close());

  async function dropped(options?: Parameters<Retention['dropExpiredJournal']>[1]): Promise<JournalDrop[]> {
    const drops: JournalDrop[] = [];
    await retention.dropExpiredJournal((drop) => drops.push(drop), options);
    return drops;
  }

  /** What only the superuser can do: triggers are off. */
  const forge = (text: string): Promise<unknown> =>
    withClient(test.server, database, async (client) => {
      await client.query('SET session_replication_role = replica');
      return client.query(text);
    });
  const rows = <T extends object>(text: string): Promise<T[]> =>
    withClient(test.access.owner, database, async (client) => (await client.query<T>(text)).rows);
  const left = async (): Promise<number[]> =>
    (await rows<{ to: number }>(`SELECT to_seq::integer AS "to" FROM journal WHERE shard = '${SHARD}' ORDER BY 1`)).map(
      ({ to }) => to,
    );

  const storedOf = (shard: string): Promise<Stored[]> =>
    rows<Stored>(`SELECT after_seq AS after, to_seq AS to, epoch, published_seq AS published,
      round(date_part('epoch', appended_at) * 1000) AS at, entries::text FROM journal WHERE shard = '${shard}' ORDER BY after_seq`);

  /** Six batches of ten positions each, and checkpoints. */
  async function kept(shard: string, ...seqs: number[]): Promise<void> {
    const journal = journals.open(shard);
    await journal.claim('spec');
    for (let afterSeq = 0; afterSeq < 60; afterSeq += 10)
      await journal.append({ afterSeq, toSeq: afterSeq + 10, entries: [], publishedSeq: afterSeq }, []);
    await checkpoints(shard, ...seqs);
  }

  async function checkpoints(shard: string, ...seqs: number[]): Promise<void> {
    const journal = journals.open(shard);
    await journal.claim('spec');
    for (const seq of seqs) {
      const ids = { packed: '', others: [] };
      await journal.saveCheckpoint({ seq, states: '[]', meta: '{}', positions: '[]', ids });
    }
  }

  const digestOf = (shard: string, batches: readonly Stored[]): string =>
    sha256(
      ...batches.map(({ after, to, epoch, published, at, entries }) =>
        sha256([shard, after, to, epoch, published, at, entries].join('\u001f')),
      ),
    ).toString('hex');

  it('[EVS-3] drops batches that have expired below every checkpoint, each drop written down with its digest', async () => {
    await kept(SHARD, 35, 40, 60);
    await kept('consensus#1', 60);
    await forge(`UPDATE journal SET ${DAYS_400} WHERE to_seq <= 50`);
    const stored = await storedOf(SHARD);
    const others = await storedOf('consensus#1');
    // Two at a time, one shard after the other; the batch in which the oldest checkpoint lies stays.
    expect(await dropped({ most: 2 })).toMatchObject([
      { shard: 'consensus#1', afterSeq: 0, toSeq: 20, batches: 2 },
      { shard: 'consensus#1', afterSeq: 20, toSeq: 40, batches: 2 },
      {
        shard: 'consensus#1',
        afterSeq: 40,
        toSeq: 50,
        batches: 1,
        digest: digestOf('consensus#1', others.slice(4, 5)),
      },
      { shard: SHARD, afterSeq: 0, toSeq: 20, batches: 2, digest: digestOf(SHARD, stored.slice(0, 2)) },
      { shard: SHARD, afterSeq: 20, toSeq: 30, batches: 1, digest: digestOf(SHARD, stored.slice(2, 3)) },
    ]);
    expect(await left()).toEqual([40, 50, 60]);
    expect(await dropped()).toEqual([]);
    // Whoever opens the shard from its oldest checkpoint finds all that followed.
    const batches: number[] = [];
    for await (const { toSeq } of journals.open(SHARD).read(35)) batches.push(toSeq);
    expect(batches).toEqual([40, 50, 60]);
  });

  it('[EVS-3] leaves what is young or follows something young, the last batch, and a shard without a checkpoint', async () => {
    await kept(SHARD);
    await forge(`UPDATE journal SET ${DAYS_400}`);
    expect(await dropped()).toEqual([]);
    await checkpoints(SHARD, 60);
    await forge('UPDATE journal SET appended_at = now() WHERE to_seq = 20');
    expect(await dropped()).toMatchObject([{ afterSeq: 0, toSeq: 10, batches: 1 }]);
    await forge(`UPDATE journal SET ${DAYS_400} WHERE to_seq = 20`);
    // By what is left a reader sees that the beginning is missing.
    expect(await dropped()).toMatchObject([{ afterSeq: 10, toSeq: 50, batches: 4 }]);
    expect(await left()).toEqual([60]);
  });

  it('drops what was brought back from a backup, too, and goes on behind it', async () => {
    await kept(SHARD, 60);
    await forge(`UPDATE journal SET ${DAYS_400}`);
    const saved = await rows<{ text: string }>(
      'SELECT row_to_json(journal)::text AS text FROM journal WHERE to_seq = 10',
    );
    await dropped();
    await forge(`INSERT INTO journal SELECT * FROM json_populate_record(NULL::journal, '${saved[0]!.text}')`);
    await kept('venue#0', 60);
    await forge(`UPDATE journal SET ${DAYS_400} WHERE shard = 'venue#0'`);
    expect(await dropped()).toMatchObject([
      { shard: SHARD, afterSeq: 0, toSeq: 10 },
      { shard: 'venue#0', afterSeq: 0, toSeq: 50 },
    ]);
  });

  it('drops no more once it is not wanted to', async () => {
    await kept(SHARD, 60);
    await forge(`UPDATE journal SET ${DAYS_400}`);
    expect(await dropped({ isWanted: () => false })).toEqual([]);
    let asked = 0;
    expect(await dropped({ isWanted: () => (asked += 1) === 1, most: 2 })).toHaveLength(1);
  });

  it('[SYS-3] refuses the owner’s role, too, what has not expired, what is still needed, and a hole; the rest it writes down', async () => {
    await kept(SHARD, 35, 60);
    await forge(`UPDATE journal SET ${DAYS_400} WHERE to_seq <> 20`);
    await withClient(test.access.owner, database, async (client) => {
      const refuses = async (what: string): Promise<void> =>
        expect(client.query(`DELETE FROM journal WHERE ${what}`)).rejects.toMatchObject({ code: 'MN403' });
      await refuses('to_seq <= 20');
      await refuses('to_seq = 30');
      await refuses('true');
      await expect(client.query("UPDATE journal SET entries = '[1]' WHERE to_seq = 10")).rejects.toThrow(/immutable/);
      await expect(client.query("UPDATE retention_policy SET keep_journal = INTERVAL '1 hour'")).rejects.toThrow(
        /check/,
      );
      await client.query('DELETE FROM journal WHERE to_seq = 10');
    });
    expect(await left()).toEqual([20, 30, 40, 50, 60]);
    expect(await rows('SELECT shard, batches::integer FROM journal_drops')).toEqual([{ shard: SHARD, batches: 1 }]);
  });

  it('[NFM-4] does not take back the migration once something was dropped: nothing else would say so', async () => {
    await kept(SHARD, 60);
    await forge(`UPDATE journal SET ${DAYS_400}`);
    await dropped();
    await expect(migrateDown(test.access, database, 'cluster', 2)).rejects.toThrow(/journal_drops has 1 rows/);
    expect(await left()).toEqual([60]);
  });

  it('keeps journals as long as bus events where somebody has asked for that before', async () => {
    await migrateDown(test.access, database, 'cluster', 2);
    await rows("UPDATE retention_policy SET keep = INTERVAL '3 years'");
    await migrateUp(test.access, database, 'cluster');
    expect(await rows("SELECT keep_journal = INTERVAL '3 years' AS alike FROM retention_policy")).toEqual([
      { alike: true },
    ]);
  });
});

import { describeShardJournal } from '../../../../kernel/src/contracts/shard-journal.contract';
import { depositRow } from '../../../../kernel/src/contracts/event-store.contract';
import type { JournalBatch } from '@moon/kernel';
import { startTestServer } from '../../testing/postgres';
import type { TestServer } from '../../testing/postgres';
import { withClient } from '../access';
import { TextPool } from '../pool';
import { LogReader } from '../read';
import { ShardJournals } from './shard-journal';

let test: TestServer;

beforeAll(async () => {
  test = await startTestServer();
}, 60_000);
afterAll(() => test.stop());

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

describeShardJournal({
  name: 'PostgreSQL',
  create: async () => {
    const database = await test.clusterDatabase();
    // Two pools: instances share no connection.
    const pools = [1, 2].map(() => new ShardJournals(test.access.app, database));
    const reading = new TextPool(test.access.app, database, { connections: 1 });
    let opened = 0;
    /** As nothing of ours may: the log's triggers are off for the superuser's session. */
    const spoil = (text: string, values: unknown[]): Promise<void> =>
      withClient(test.server, database, async (client) => {
        await client.query("SET session_replication_role = 'replica'");
        const { rowCount } = await client.query(text, values);
        if (rowCount !== 1) throw new Error(`${text} found ${rowCount} rows`);
      });
    return {
      open: (shard) => pools[(opened += 1) % pools.length]!.open(shard),
      stream: (streamId) => collect(new LogReader(reading).readStream(streamId)),
      spoilBatch: (shard, afterSeq, entries) =>
        spoil('UPDATE journal SET entries = $3 WHERE shard = $1 AND after_seq = $2', [shard, afterSeq, entries]),
      spoilCheckpoint: (shard, seq, states) =>
        spoil('UPDATE shard_checkpoints SET states = $3 WHERE shard = $1 AND seq = $2', [shard, seq, states]),
      close: async () => {
        await Promise.all([...pools, reading].map((pool) => ('close' in pool ? pool.close() : pool.end())));
      },
    };
  },
});

describe('remembered ids in PostgreSQL', () => {
  it('are dropped when no checkpoint that is kept needs them any more, and only then', async () => {
    const test = await startTestServer();
    const database = await test.clusterDatabase();
    const journals = new ShardJournals(test.access.app, database);
    try {
      const journal = journals.open('execution#0');
      await journal.claim('one');
      const entries = [{ kind: 'messages', topic: 'price.ticks', partition: 0, from: 0, count: 40 }] as const;
      await journal.append({ afterSeq: 0, toSeq: 40, entries, publishedSeq: 0 }, []);
      const piece = (index: number): string => Buffer.alloc(16_000, index + 1).toString('base64');
      for (let seq = 1; seq <= 32; seq += 1) {
        const ids = { packed: piece(seq), others: [] };
        await journal.saveCheckpoint({ seq, states: '[]', meta: '{}', positions: '[]', ids });
      }
      const kept = await withClient(test.server, database, (client) =>
        client.query<{ seq: string }>('SELECT seq FROM shard_ids ORDER BY seq'),
      );
      // The oldest checkpoint that is kept is the thirtieth; twenty pieces of a thousand ids are what it needs.
      expect(kept.rows.map(({ seq }) => Number(seq))).toEqual(Array.from({ length: 22 }, (_, index) => 11 + index));
      const latest = await journals.open('execution#0').latestCheckpoint();
      const newest = Array.from({ length: 20 }, (_, index) => Buffer.from(piece(13 + index), 'base64'));
      expect(latest?.ids.packed).toBe(Buffer.concat(newest).toString('base64'));
    } finally {
      await journals.close();
      await test.stop();
    }
  }, 120_000);
});

describe('the journal in PostgreSQL', () => {
  let database: string;
  let journals: ShardJournals;

  beforeEach(async () => {
    database = await test.clusterDatabase();
    journals = new ShardJournals(test.access.app, database);
  });
  afterEach(() => journals.close());

  it('[SYS-3] refuses update, delete and truncate of the journal and of the log', async () => {
    const journal = journals.open('execution#0');
    await journal.claim('one');
    await journal.append({ afterSeq: 0, toSeq: 2, entries: [], publishedSeq: 0 }, [depositRow(1, 1)]);
    const changes = [
      'UPDATE journal SET epoch = 7',
      'DELETE FROM journal',
      'TRUNCATE journal',
      "UPDATE stream_events SET shard = 'x'",
      'DELETE FROM stream_events',
    ];
    const codes = (login: 'app' | 'owner'): Promise<unknown[]> =>
      withClient(test.access[login], database, async (client) => {
        const answers: unknown[] = [];
        for (const change of changes) {
          const answer = client.query(change).then(() => 'done');
          answers.push(await answer.catch((error: { code?: string }) => error.code));
        }
        return answers;
      });
    expect(new Set(await codes('app'))).toEqual(new Set(['42501']));
    expect(new Set(await codes('owner'))).toEqual(new Set(['MN403']));
  });

  it('gives rows the position of the log as their number and the shard as their producer', async () => {
    const [one, two] = [journals.open('execution#0'), journals.open('execution#1')];
    for (const journal of [one, two]) await journal.claim('me');
    await one.append({ afterSeq: 0, toSeq: 3, entries: [], publishedSeq: 0 }, [depositRow(1, 1), depositRow(2, 2)]);
    await two.append({ afterSeq: 0, toSeq: 3, entries: [], publishedSeq: 0 }, [depositRow(1, 1, 'other')]);
    const rows = await withClient(test.access.app, database, async (client) => {
      const text = 'SELECT seq::int, position::int, shard, stream_id AS stream FROM log ORDER BY seq';
      return (await client.query(text)).rows;
    });
    expect(rows).toEqual([
      { seq: 1, position: 1, shard: 'execution#0', stream: 'portfolio-main' },
      { seq: 2, position: 2, shard: 'execution#0', stream: 'portfolio-main' },
      { seq: 3, position: 3, shard: 'execution#1', stream: 'portfolio-other' },
    ]);
  });

  it('stores the batches of several shards in one transaction; one that is refused takes back itself alone', async () => {
    const opened = Array.from({ length: 4 }, (_, index) => journals.open(`execution#${index}`));
    for (const journal of opened) await journal.claim('me');
    // Taken over; and a gap; and a stream that is not where it is said to be.
    await journals.open('execution#0').claim('another');
    const batch = (afterSeq: number): JournalBatch => ({ afterSeq, toSeq: afterSeq + 2, entries: [], publishedSeq: 0 });
    const [lost, gap, conflict, good] = await Promise.allSettled([
      opened[0]!.append(batch(0), [depositRow(1, 1, 'a')]),
      opened[1]!.append(batch(5), [depositRow(1, 1, 'b')]),
      opened[2]!.append(batch(0), [depositRow(1, 7, 'c')]),
      opened[3]!.append(batch(0), [depositRow(1, 1, 'd')]),
    ]);
    expect(lost).toMatchObject({ reason: { name: 'ShardLost', epoch: 1, currentEpoch: 2 } });
    expect(gap).toMatchObject({ reason: { name: 'RangeError' } });
    expect(conflict).toMatchObject({ reason: { name: 'ConcurrencyConflict', streamId: 'portfolio-c' } });
    expect(good).toMatchObject({ status: 'fulfilled' });
    expect(await collect(opened[0]!.read(0))).toEqual([]);
    expect(await collect(opened[3]!.read(0))).toHaveLength(1);

    const rest = [opened[1]!, opened[2]!].map((journal, index) =>
      journal.append(batch(0), [depositRow(1, 1, `e${index}`)]),
    );
    await Promise.all([...rest, opened[3]!.append(batch(2), [depositRow(3, 2, 'd')])]);
    const rows = await withClient(test.access.app, database, async (client) => {
      return (await client.query('SELECT stream_id, tx::text FROM stream_events ORDER BY position')).rows;
    });
    expect(rows.map(({ stream_id }) => stream_id)).toEqual([
      'portfolio-d',
      'portfolio-e0',
      'portfolio-e1',
      'portfolio-d',
    ]);
    expect(new Set(rows.slice(1).map(({ tx }) => tx)).size).toBe(1);
  });

  it('writes on in one transaction with a claim that waits for it, and never after it', async () => {
    const journal = journals.open('execution#0');
    await journal.claim('one');
    await withClient(test.access.app, database, async (client) => {
      await client.query('BEGIN');
      await client.query("SELECT append_journal('execution#0', 1, 0, 4, 0, '[]', NULL, NULL, NULL, NULL)");
      const successor = journals.open('execution#0');
      const claim = successor.claim('two');
      await client.query('COMMIT');
      expect(await claim).toEqual({ epoch: 2, lastSeq: 4, publishedSeq: 0 });
    });
  });
});

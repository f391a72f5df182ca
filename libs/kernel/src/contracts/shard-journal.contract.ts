import { eventId, type AnyEvent } from '@moon/events';
import { checkpointTexts, JournalUnreadable } from '../core/journal-codec';
import { NO_IDS, RecentIds, type PackedIds } from '../core/recent-ids';
import { ConcurrencyConflict } from '../ports/event-store';
import type { LogRow } from '../ports/event-store';
import { ShardLost } from '../ports/journal';
import type { JournalBatch, JournalEntry, ShardCheckpoint, ShardJournal } from '../ports/journal';
import { depositRow, tickRow } from './event-store.contract';

/** Journals under test, all on one log. */
export interface ShardJournalHarness {
  /** The journal of a shard, as yet another instance opens it. */
  open: (shard: string) => ShardJournal;
  /** What a stream of the log holds, in its order. */
  stream: (streamId: string) => Promise<LogRow[]>;
  /** Puts a text in the place of the entries of the batch after a position: JSON, but not what was written. */
  spoilBatch: (shard: string, afterSeq: number, entries: string) => Promise<void>;
  /** Puts a text in the place of a checkpoint's states. */
  spoilCheckpoint: (shard: string, seq: number, states: string) => Promise<void>;
  close: () => Promise<void>;
}

export interface ShardJournalContract {
  name: string;
  create: () => Promise<ShardJournalHarness>;
}

const SHARD = 'execution#0';
const CONCURRENT = 50;

const messages = (from: number, count: number): JournalEntry => ({
  kind: 'messages',
  topic: 'price.ticks',
  partition: 3,
  from,
  count,
});

const own = (event: AnyEvent): JournalEntry => ({ kind: 'input', event });

/** A batch of `size` positions, all of them messages. */
const batchAt = (afterSeq: number, size = 10, publishedSeq = afterSeq): JournalBatch => ({
  afterSeq,
  toSeq: afterSeq + size,
  entries: [messages(1_000 + afterSeq, size)],
  publishedSeq,
});

const checkpointAt = (seq: number): ShardCheckpoint => ({
  seq,
  entries: [
    { handler: 'execution', key: 'main', state: { zulu: seq, a: [1, null], text: '☃ \u0001 " \\' } },
    { handler: 'agent/risk', key: 'main', state: null },
  ],
  meta: { codeVersion: '0.2.0', engine: { seq } },
  positions: [{ topic: 'price.ticks', partition: 3, offset: 1_000 + seq }],
  ids: NO_IDS,
});

/** Ids of `count` inputs from a number on. */
const idsOf = (from: number, count: number): PackedIds => {
  const ids = new RecentIds(count);
  for (let number = from; number < from + count; number += 1) ids.add(eventId('input', String(number)));
  return ids.pack(count);
};

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** What the platform relies on, of every shard journal. */
export function describeShardJournal({ name, create }: ShardJournalContract): void {
  describe(`shard journal contract: ${name}`, () => {
    let harness: ShardJournalHarness;
    let journal: ShardJournal;

    beforeEach(async () => {
      harness = await create();
      journal = harness.open(SHARD);
    });
    afterEach(() => harness.close());

    const claimed = async (shard: string, owner = 'one'): Promise<ShardJournal> => {
      const opened = harness.open(shard);
      await opened.claim(owner);
      return opened;
    };
    const ends = async (from = 0): Promise<number[]> =>
      (await collect(journal.read(from))).map(({ toSeq }: JournalBatch) => toSeq);

    it('is empty at first, and its first owner has epoch 1', async () => {
      expect(await collect(journal.read(0))).toEqual([]);
      expect(await journal.latestCheckpoint()).toBeNull();
      expect(await journal.claim('one')).toEqual({ epoch: 1, lastSeq: 0, publishedSeq: 0 });
    });

    it('gives back batches in their order, entry by entry, to whoever claims the shard next', async () => {
      await journal.claim('one');
      const { event } = tickRow(1);
      const first = { ...batchAt(0), entries: [messages(5, 3), own(event), messages(8, 1)] };
      const second = batchAt(10, 7, 8);
      await journal.append(first, []);
      await journal.append(second, []);
      const successor = harness.open(SHARD);
      expect(await successor.claim('two')).toEqual({ epoch: 2, lastSeq: 17, publishedSeq: 8 });
      expect(await collect(successor.read(0))).toEqual([first, second]);
      expect(await collect(successor.read(10))).toEqual([second]);
      // A position inside a batch: the batch is needed.
      expect(await collect(successor.read(9))).toEqual([first, second]);
      expect(await collect(successor.read(17))).toEqual([]);
      expect(JSON.stringify((await collect(successor.read(0)))[0])).toBe(
        JSON.stringify({ afterSeq: 0, toSeq: 10, publishedSeq: 0, entries: first.entries }),
      );
    });

    it('reads a long journal', async () => {
      await journal.claim('one');
      const all = Array.from({ length: 1_203 }, (_, index) => (index + 1) * 2);
      for (const toSeq of all) await journal.append(batchAt(toSeq - 2, 2), []);
      expect(await ends()).toEqual(all);
      expect(await ends(2_000)).toEqual(all.slice(1_000));
    });

    it('stores stream rows with the batch that led to them, or neither', async () => {
      await journal.claim('one');
      await journal.append(batchAt(0), [depositRow(2, 1), depositRow(3, 1, 'other'), depositRow(4, 2)]);
      expect((await harness.stream('portfolio-main')).map(({ version }) => version)).toEqual([1, 2]);
      expect((await harness.stream('portfolio-main'))[1]!.event).toEqual(depositRow(4, 2).event);
      await expect(journal.append(batchAt(10), [depositRow(12, 3), depositRow(13, 5, 'other')])).rejects.toThrow(
        ConcurrencyConflict,
      );
      expect(await ends()).toEqual([10]);
      expect(await harness.stream('portfolio-main')).toHaveLength(2);
      await journal.append(batchAt(10), [depositRow(12, 3), depositRow(13, 2, 'other')]);
      expect(await ends()).toEqual([10, 20]);
    });

    it('refuses rows that no stream has, and versions with a gap', async () => {
      await journal.claim('one');
      await expect(journal.append(batchAt(0), [tickRow(1)])).rejects.toThrow(RangeError);
      await expect(journal.append(batchAt(0), [depositRow(1, 1), depositRow(2, 3)])).rejects.toThrow(RangeError);
      expect(await ends()).toEqual([]);
    });

    it('changes nothing when a batch is repeated after an unknown outcome', async () => {
      await journal.claim('one');
      const batch = { ...batchAt(0), entries: [own(tickRow(1).event), messages(1, 2)] };
      const rows = [depositRow(2, 1)];
      for (let attempt = 1; attempt <= 3; attempt += 1) await journal.append(batch, rows);
      await journal.append(batchAt(10), [depositRow(11, 2)]);
      await journal.append(batchAt(10), [depositRow(11, 2)]);
      expect(await ends()).toEqual([10, 20]);
      expect((await harness.stream('portfolio-main')).map(({ version }) => version)).toEqual([1, 2]);
    });

    it('stores a batch once when its attempts overlap', async () => {
      await journal.claim('one');
      const attempts = Array.from({ length: 20 }, () => journal.append(batchAt(0), [depositRow(2, 1)]));
      await Promise.all(attempts);
      expect(await ends()).toEqual([10]);
      expect(await harness.stream('portfolio-main')).toHaveLength(1);
    });

    it('refuses a gap, an overlap, and other content at a position that is taken', async () => {
      await journal.claim('one');
      await journal.append(batchAt(0), []);
      const wrong = [
        batchAt(11),
        batchAt(5),
        { ...batchAt(0), toSeq: 11 },
        { ...batchAt(0), entries: [messages(7, 10)] },
        { ...batchAt(0), entries: [] },
      ];
      for (const batch of wrong) {
        await expect(journal.append(batch, [depositRow(1, 1)])).rejects.toThrow(
          /journal of shard execution#0 ends at 10/,
        );
      }
      for (const batch of [batchAt(10, 0), batchAt(10, -1), { ...batchAt(10), publishedSeq: 21 }, batchAt(10.5)]) {
        await expect(journal.append(batch, [])).rejects.toThrow(RangeError);
      }
      expect(await ends()).toEqual([10]);
      expect(await harness.stream('portfolio-main')).toEqual([]);
    });

    it('fences the older owner off: it appends nothing, repeats nothing, saves no checkpoint', async () => {
      await journal.claim('one');
      await journal.append(batchAt(0), []);
      const successor = harness.open(SHARD);
      expect(await successor.claim('two')).toEqual({ epoch: 2, lastSeq: 10, publishedSeq: 0 });
      for (const batch of [batchAt(10), batchAt(0)]) {
        const refused = journal.append(batch, [depositRow(11, 1)]);
        await expect(refused).rejects.toThrow(ShardLost);
        await expect(refused).rejects.toMatchObject({ shard: SHARD, epoch: 1, currentEpoch: 2 });
      }
      await expect(journal.saveCheckpoint(checkpointTexts(checkpointAt(10)))).rejects.toThrow(ShardLost);
      await successor.append(batchAt(10), [depositRow(11, 1)]);
      expect(await ends()).toEqual([10, 20]);
      expect(await successor.latestCheckpoint()).toBeNull();
    });

    it('takes nothing of an instance that has claimed nothing', async () => {
      await expect(journal.append(batchAt(0), [])).rejects.toThrow(ShardLost);
      await journal.claim('one');
      await expect(harness.open(SHARD).append(batchAt(0), [])).rejects.toThrow(ShardLost);
    });

    it('lets one shard win a version of a stream that another appends to, too', async () => {
      const [one, two] = [await claimed('execution#1'), await claimed('execution#2')];
      await one.append(batchAt(0), [depositRow(1, 1)]);
      const refused = two.append(batchAt(0), [depositRow(1, 1, 'main', '7')]);
      await expect(refused).rejects.toMatchObject({ streamId: 'portfolio-main', expected: 0, actual: 1 });
      await two.append(batchAt(0), [depositRow(1, 2, 'main', '7')]);
      expect((await harness.stream('portfolio-main')).map(({ version }) => version)).toEqual([1, 2]);
      const race = await Promise.allSettled(
        [one, two].map((shard, index) => shard.append(batchAt(10), [depositRow(11, 3, 'main', `${index}`)])),
      );
      expect(race.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
      const lost = race.find(({ status }) => status === 'rejected') as PromiseRejectedResult;
      expect(lost.reason).toBeInstanceOf(ConcurrencyConflict);
      expect(await harness.stream('portfolio-main')).toHaveLength(3);
    });

    it('lets exactly one of a hundred concurrent appends of two owners win', async () => {
      await journal.claim('one');
      const successor = harness.open(SHARD);
      await successor.claim('two');
      const attempts = Array.from({ length: CONCURRENT }, (_, index) => [
        journal.append({ ...batchAt(0), entries: [messages(index, 10)] }, [depositRow(1, 1, 'main', `${index}`)]),
        successor.append({ ...batchAt(0), entries: [messages(500 + index, 10)] }, [
          depositRow(1, 1, 'main', `${500 + index}`),
        ]),
      ]).flat();
      const results = await Promise.allSettled(attempts);
      const won = results.flatMap(({ status }, index) => (status === 'fulfilled' ? [index] : []));
      expect(won).toHaveLength(1);
      expect(won[0]! % 2).toBe(1);
      const [batch, ...more] = await collect(journal.read(0));
      expect(more).toEqual([]);
      const index = 500 + (won[0]! - 1) / 2;
      expect(batch!.entries).toEqual([messages(index, 10)]);
      expect((await harness.stream('portfolio-main')).map(({ event }) => event)).toEqual([
        depositRow(1, 1, 'main', `${index}`).event,
      ]);
    });

    it('keeps what an owner was acknowledged, and nothing else of it, when it is replaced while it appends', async () => {
      await journal.claim('one');
      const successor = harness.open(SHARD);
      let acknowledged = 0;
      const appending = (async () => {
        for (let at = 0; ; at += 1) {
          await journal.append(batchAt(at, 1), [depositRow(at + 1, at + 1)]);
          acknowledged = at + 1;
        }
      })();
      const lost = appending.catch((error: unknown) => error);
      while (acknowledged < 20) await new Promise((resolve) => setTimeout(resolve, 1));
      const { lastSeq } = await successor.claim('two');
      expect(await lost).toBeInstanceOf(ShardLost);
      expect(lastSeq).toBe(acknowledged);
      await successor.append(batchAt(lastSeq, 1), [depositRow(lastSeq + 1, lastSeq + 1, 'main', '9')]);
      expect(await ends()).toEqual(Array.from({ length: lastSeq + 1 }, (_, index) => index + 1));
      expect(await harness.stream('portfolio-main')).toHaveLength(lastSeq + 1);
    });

    it('keeps the last three checkpoints and gives back the newest, letter for letter', async () => {
      await journal.claim('one');
      await journal.append(batchAt(0, 50), []);
      for (const seq of [10, 20, 30, 40, 40]) await journal.saveCheckpoint(checkpointTexts(checkpointAt(seq)));
      const latest = await harness.open(SHARD).latestCheckpoint();
      expect(latest).toEqual(checkpointAt(40));
      expect(JSON.stringify(latest!.entries[0]!.state)).toBe(JSON.stringify(checkpointAt(40).entries[0]!.state));
      for (const seq of [40, 30, 20]) await harness.spoilCheckpoint(SHARD, seq, 'x');
      expect(await journal.latestCheckpoint()).toBeNull();
    });

    it('gives back the ids that checkpoints brought one after the other, up to the one that can be read', async () => {
      await journal.claim('one');
      await journal.append(batchAt(0, 50), []);
      const odd = { ...NO_IDS, others: ['order-17'] };
      const pieces = [idsOf(0, 3), NO_IDS, odd, idsOf(3, 4)];
      for (const [index, ids] of pieces.entries())
        await journal.saveCheckpoint({ ...checkpointTexts(checkpointAt(10 * (index + 1))), ids });
      // Stored, and not heard of: the same once more.
      await journal.saveCheckpoint({ ...checkpointTexts(checkpointAt(40)), ids: idsOf(3, 4) });
      const successor = harness.open(SHARD);
      expect((await successor.latestCheckpoint())?.ids).toEqual({ packed: idsOf(0, 7).packed, others: ['order-17'] });
      await harness.spoilCheckpoint(SHARD, 40, 'x');
      expect(await successor.latestCheckpoint()).toMatchObject({ seq: 30, ids: { packed: idsOf(0, 3).packed } });
    });

    it('refuses a checkpoint of what no journal holds', async () => {
      await journal.claim('one');
      await journal.append(batchAt(0), []);
      await expect(journal.saveCheckpoint(checkpointTexts(checkpointAt(11)))).rejects.toThrow(RangeError);
      expect(await journal.latestCheckpoint()).toBeNull();
    });

    it.each([
      [
        'cut off',
        '[{"handler":"exec',
        /^Checkpoint 20 of shard execution#0 cannot be read: states is no JSON .*\. An older/,
      ],
      ['of another shape', '{"handler":"execution"}', /states is no list/],
      ['with a state of nobody', '[{"key":"main","state":1}]', /states\[0\] names no handler and key/],
    ])(
      'passes over a checkpoint that is %s, names it in one line, and takes the one before',
      async (_, text, problem) => {
        await journal.claim('one');
        await journal.append(batchAt(0, 50), []);
        await journal.saveCheckpoint(checkpointTexts(checkpointAt(10)));
        await journal.saveCheckpoint(checkpointTexts(checkpointAt(20)));
        await harness.spoilCheckpoint(SHARD, 20, text);
        const problems: string[] = [];
        expect(await journal.latestCheckpoint((found) => problems.push(found))).toEqual(checkpointAt(10));
        expect(problems).toEqual([expect.stringMatching(problem)]);
        expect(problems[0]).not.toContain('\n');
      },
    );

    it.each([
      ['no list', '{"a":1}', /the text is no list/],
      ['an unknown kind', '[{"kind":"rumour"}]', /entry 1 is of the kind "rumour"/],
      [
        'an unknown topic',
        '[{"kind":"messages","topic":"x","partition":0,"from":1,"count":1}]',
        /"x", which is no topic/,
      ],
      ['no count', '[{"kind":"messages","topic":"price.ticks","partition":0,"from":1}]', /entry 1\.count is undefined/],
      [
        'a version from the future',
        `[${JSON.stringify(own({ ...tickRow(1).event, schemaVersion: 99 } as never))}]`,
        /99/,
      ],
      ['no event', '[{"kind":"input","event":7}]', /entry 1\.event is no object/],
    ])('stops at a batch with %s, and says what to do', async (_, text, problem) => {
      await journal.claim('one');
      for (const at of [0, 10, 20]) await journal.append(batchAt(at), []);
      await harness.spoilBatch(SHARD, 10, text);
      const read: number[] = [];
      const reading = (async () => {
        for await (const { toSeq } of journal.read(0)) read.push(toSeq);
      })();
      const error = await reading.catch((reason: unknown) => reason as Error);
      expect(error).toBeInstanceOf(JournalUnreadable);
      expect((error as Error).message).toMatch(problem);
      expect((error as Error).message).toMatch(/^Journal of shard execution#0, batch after 10: .* restore the journal/);
      expect((error as Error).message).not.toContain('\n');
      expect(read).toEqual([10]);
      expect(await ends(20)).toEqual([30]);
    });

    it('keeps shards apart', async () => {
      const other = await claimed('execution#10');
      await journal.claim('one');
      await journal.append(batchAt(0), []);
      await journal.saveCheckpoint(checkpointTexts(checkpointAt(10)));
      expect(await collect(other.read(0))).toEqual([]);
      expect(await other.latestCheckpoint()).toBeNull();
      await other.append(batchAt(0, 5), []);
      expect(await ends()).toEqual([10]);
    });
  });
}

import { DEFINITIONS, eventId } from '@moon/events';
import { testEvent } from '@moon/domain';
import { MemoryClusterLog } from '../../memory/memory-shard-journal';
import type { LogRow } from '../../ports/event-store';
import type { JournalBatch, ShardClaim, ShardJournal } from '../../ports/journal';
import type { KeptBatch, LocalJournal } from '../../ports/local-journal';
import { T0 } from '../../testing/venue-desk';
import { bringIn } from './bring-in';

const batchAt = (afterSeq: number, from = afterSeq): JournalBatch => ({
  ...{ afterSeq, toSeq: afterSeq + 10, publishedSeq: 0 },
  entries: [{ kind: 'messages', topic: 'price.ticks', partition: 0, from, count: 1 }],
});

/** A journal that begins after position 20: what was below has expired. */
class Begun implements Pick<ShardJournal, 'shard' | 'read' | 'append'> {
  readonly shard = 'execution#0';
  constructor(private readonly batches: JournalBatch[]) {}

  async *read(afterSeq: number): AsyncIterable<JournalBatch> {
    for (const batch of this.batches) if (batch.toSeq > afterSeq) yield batch;
  }
  append(batch: JournalBatch): Promise<void> {
    this.batches.push(batch);
    return Promise.resolve();
  }
}

async function broughtIn(kept: JournalBatch[], journal: JournalBatch[]): Promise<string[]> {
  const done: string[] = [];
  const local: Pick<LocalJournal, 'read' | 'clear' | 'setAside'> = {
    read: () => Promise.resolve(kept.map((batch): KeptBatch => ({ batch, rows: [] }))),
    clear: () => Promise.resolve(void done.push('cleared')),
    setAside: () => Promise.resolve(String(done.push('set aside'))),
  };
  const claim: ShardClaim = { epoch: 2, lastSeq: journal.at(-1)!.toSeq, publishedSeq: 0 };
  const begun = new Begun(journal);
  await bringIn(begun as Partial<ShardJournal> as ShardJournal, claim, local as LocalJournal, () => undefined);
  return [...done, ...[...journal].map(({ toSeq }) => String(toSeq))];
}

describe('what was kept while the store was away, when the journal is brought up to it', () => {
  it('is done with where the store had taken it, and the beginning has expired since', async () => {
    expect(await broughtIn([batchAt(10), batchAt(20)], [batchAt(20), batchAt(30)])).toEqual(['cleared', '30', '40']);
  });

  it('[SYS-8] is set aside where the journal holds something else at its place', async () => {
    expect(await broughtIn([batchAt(10), batchAt(20, 7)], [batchAt(20), batchAt(30)])).toEqual([
      'set aside',
      ...['30', '40'],
    ]);
  });

  it('[SYS-8] is set aside where nothing of it can be held against the journal any more', async () => {
    expect(await broughtIn([batchAt(0), batchAt(10)], [batchAt(20), batchAt(30)])).toEqual(['set aside', '30', '40']);
  });

  it('[SYS-8] goes on from the journal’s end', async () => {
    expect(await broughtIn([batchAt(20), batchAt(30)], [batchAt(20)])).toEqual(['cleared', '30', '40']);
  });

  it('goes on where the store has the stream of an order that was over when more of it came', async () => {
    const database = new MemoryClusterLog();
    const journal = database.journal('execution#0');
    const rowAt = (seq: number, version: number): LogRow => {
      const event = testEvent('order.withheld', T0 + seq, DEFINITIONS['order.withheld'].example as never);
      return { seq, event: { ...event, id: eventId('test', String(seq)) }, streamId: 'order-1', version };
    };
    await journal.claim();
    await journal.append(batchAt(0), [rowAt(1, 1), rowAt(2, 2)]);
    const kept: KeptBatch[] = [
      { batch: batchAt(10), rows: [rowAt(11, 1), rowAt(12, 2)] },
      { batch: batchAt(20), rows: [rowAt(21, 3)] },
      // Over once more, and begun anew.
      { batch: batchAt(30), rows: [rowAt(31, 1)] },
    ];
    const local = { read: () => Promise.resolve(kept), clear: () => Promise.resolve() };
    await bringIn(journal, await journal.claim(), local as Partial<LocalJournal> as LocalJournal, () => undefined);
    expect(database.appended.map(({ seq, version }) => [seq, version])).toEqual([
      ...[1, 2, 11, 12, 21, 31].map((seq, index) => [seq, index + 1]),
    ]);
  });
});

import type { JournalBatch, ShardClaim, ShardJournal } from '../../ports/journal';
import type { KeptBatch, LocalJournal } from '../../ports/local-journal';
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
});

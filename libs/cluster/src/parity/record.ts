import type { ClusterLog, EventArchive, ShardJournals } from '@moon/infra';
import type { BusMessage, BusPosition, JournalBatch } from '@moon/kernel';

/** What is read of a deployment: its shards' journals, its archive, and what its log holds of each shard. */
export interface ClusterRecord {
  journals: Pick<ShardJournals, 'open'>;
  archive: Pick<EventArchive, 'fill' | 'lastOffset'>;
  log: Pick<ClusterLog, 'emitted' | 'query' | 'shards'>;
}

/** Messages of the archive, partition by partition, each in its order: a journal asks for rising offsets. */
export class ArchivedMessages {
  private readonly open = new Map<string, { messages: AsyncIterator<BusMessage>; next: BusMessage | null }>();

  constructor(private readonly archive: ClusterRecord['archive']) {}

  /**
   * The message at a position.
   * @returns 'behind' when the archive does not reach so far yet, 'missing' when it holds later ones only
   */
  async at(position: BusPosition): Promise<BusMessage | 'behind' | 'missing'> {
    const first = await this.read(position);
    if (first !== 'end') return first;
    const last = await this.archive.lastOffset(position);
    if (last === null || last < position.offset) return 'behind';
    // Later ones were archived since this partition was read to its end: now it would be there.
    const again = await this.read(position);
    return again === 'end' ? 'behind' : again;
  }

  private async read({ topic, partition, offset }: BusPosition): Promise<BusMessage | 'end' | 'missing'> {
    const slot = `${topic}/${partition}`;
    let reader = this.open.get(slot);
    if (!reader || (reader.next !== null && reader.next.offset > offset)) {
      const messages = this.archive.fill({ topic, partition }, offset, Number.MAX_SAFE_INTEGER);
      reader = { messages: messages[Symbol.asyncIterator](), next: null };
      this.open.set(slot, reader);
    }
    while (reader.next === null || reader.next.offset < offset) {
      const { value, done } = await reader.messages.next();
      if (done) {
        this.open.delete(slot);
        return 'end';
      }
      reader.next = value;
    }
    return reader.next.offset === offset ? reader.next : 'missing';
  }
}

/** Batches of a shard's journal from its beginning. @throws Error when the beginning, or a piece in between, is not there */
export async function* wholeJournal(
  { journals }: Pick<ClusterRecord, 'journals'>,
  shard: string,
): AsyncIterable<JournalBatch> {
  let seq = 0;
  for await (const batch of journals.open(shard).read(0)) {
    if (batch.afterSeq !== seq)
      throw new Error(
        `The journal of ${shard} lacks positions ${seq + 1} to ${batch.afterSeq}: what led to its states is gone. ` +
          'Whether it expired, journal_drops says (docs/store.md, Retention).',
      );
    seq = batch.toSeq;
    yield batch;
  }
}

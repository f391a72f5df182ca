import { checkpointOf } from '../core/journal-codec';
import type { PackedIds } from '../core/recent-ids';
import { ConcurrencyConflict, type LogRow } from '../ports/event-store';
import {
  ShardLost,
  type JournalBatch,
  type ShardCheckpoint,
  type ShardClaim,
  type ShardJournal,
  type StoredCheckpoint,
} from '../ports/journal';

const CHECKPOINTS_KEPT = 3;

interface Record_ {
  epoch: number;
  batches: string[];
  checkpoints: string[];
  /** Ids of inputs, piece by piece as checkpoints brought them. */
  ids: { seq: number; ids: PackedIds }[];
  lastSeq: number;
  publishedSeq: number;
}

/** What several shards' journals share: one database, in memory. Everything in it is a copy. */
export class MemoryClusterLog {
  readonly streams = new Map<string, LogRow[]>();
  private readonly shards = new Map<string, Record_>();

  /** Everything that was appended to streams, in the order of the commits. */
  readonly appended: LogRow[] = [];

  journal(shard: string): MemoryShardJournal {
    return new MemoryShardJournal(shard, this, this.recordOf(shard));
  }

  private recordOf(shard: string): Record_ {
    let record = this.shards.get(shard);
    if (!record) {
      record = { epoch: 0, batches: [], checkpoints: [], ids: [], lastSeq: 0, publishedSeq: 0 };
      this.shards.set(shard, record);
    }
    return record;
  }
}

/** A shard's journal in memory, for tests. */
export class MemoryShardJournal implements ShardJournal {
  private epoch = 0;

  constructor(
    readonly shard: string,
    private readonly database: MemoryClusterLog,
    private readonly record: Record_,
  ) {}

  claim(): Promise<ShardClaim> {
    this.record.epoch += 1;
    this.epoch = this.record.epoch;
    const { lastSeq, publishedSeq } = this.record;
    return Promise.resolve({ epoch: this.epoch, lastSeq, publishedSeq });
  }

  async append(batch: JournalBatch, rows: readonly LogRow[]): Promise<void> {
    await Promise.resolve();
    const text = JSON.stringify(batch);
    this.checkOwner();
    if (this.record.lastSeq === batch.toSeq && this.record.batches[this.record.batches.length - 1] === text) return;
    if (batch.afterSeq !== this.record.lastSeq) {
      throw new RangeError(
        `Shard ${this.shard}: a batch after ${batch.afterSeq} does not follow ${this.record.lastSeq}.`,
      );
    }
    for (const { streamId = '', version = 0 } of rows.filter(isFirstOfStream)) {
      const actual = this.database.streams.get(streamId)?.length ?? 0;
      if (actual !== version - 1) throw new ConcurrencyConflict(streamId, version - 1, actual);
    }
    for (const row of structuredClone(rows)) {
      const stream = this.database.streams.get(row.streamId ?? '') ?? [];
      this.database.streams.set(row.streamId ?? '', [...stream, row]);
      this.database.appended.push(row);
    }
    this.record.batches.push(text);
    this.record.lastSeq = batch.toSeq;
    this.record.publishedSeq = batch.publishedSeq;
  }

  async *read(afterSeq: number): AsyncIterable<JournalBatch> {
    await Promise.resolve();
    for (const text of this.record.batches) {
      const batch = JSON.parse(text) as JournalBatch;
      if (batch.afterSeq >= afterSeq) yield batch;
    }
  }

  async saveCheckpoint(checkpoint: StoredCheckpoint): Promise<void> {
    await Promise.resolve();
    this.checkOwner();
    const { ids, ...rest } = checkpoint;
    this.record.checkpoints.push(JSON.stringify(rest));
    const isRepeat = this.record.ids.some(({ seq }) => seq === checkpoint.seq);
    const isEmpty = ids.packed === '' && ids.others.length === 0;
    if (!isRepeat && !isEmpty) this.record.ids.push({ seq: checkpoint.seq, ids: structuredClone(ids) });
    this.record.checkpoints.splice(0, this.record.checkpoints.length - CHECKPOINTS_KEPT);
  }

  latestCheckpoint(): Promise<ShardCheckpoint | null> {
    const text = this.record.checkpoints[this.record.checkpoints.length - 1];
    if (text === undefined) return Promise.resolve(null);
    const rest = JSON.parse(text) as Omit<StoredCheckpoint, 'ids'>;
    const pieces = this.record.ids.filter(({ seq }) => seq <= rest.seq).map(({ ids }) => ids);
    const packed = Buffer.concat(pieces.map((piece) => Buffer.from(piece.packed, 'base64'))).toString('base64');
    const ids = { packed, others: pieces.flatMap(({ others }) => others) };
    const found = checkpointOf(this.shard, { ...rest, ids });
    if (typeof found === 'string') throw new Error(found);
    return Promise.resolve(found);
  }

  private checkOwner(): void {
    if (this.epoch !== this.record.epoch) throw new ShardLost(this.shard, this.epoch, this.record.epoch);
  }
}

function isFirstOfStream(row: LogRow, index: number, rows: readonly LogRow[]): boolean {
  return rows.findIndex(({ streamId }) => streamId === row.streamId) === index;
}

import {
  assertBatch,
  batchDoesNotFollow,
  batchOf,
  checkpointOf,
  entriesText,
  KEPT_INPUTS,
  NO_IDS,
  ShardLost,
} from '@moon/kernel';
import type {
  JournalBatch,
  JournalEntry,
  LogRow,
  PackedIds,
  ShardCheckpoint,
  ShardClaim,
  ShardJournal,
  StoredCheckpoint,
} from '@moon/kernel';
import type { Login } from '../access';
import { Months } from '../months';
import { keysetRows } from '../paged-rows';
import { TextPool } from '../pool';
import type { TextRow, WritingOptions } from '../pool';
import { toStoredRow } from '../rows';
import { appended, codeOf, StreamVersions } from '../stream-versions';
import { GroupAppends, type ShardBatch } from './group-appends';

/** Batches a page when a journal is read. */
const PAGE_BATCHES = 500;

/** What append_journals and save_shard_checkpoint answer with. */
const OTHER_OWNER = 'MN411';
const DOES_NOT_FOLLOW = 'MN412';

const CLAIM = `INSERT INTO shards (shard, epoch, owner) VALUES ($1, 1, $2)
  ON CONFLICT (shard) DO UPDATE SET epoch = shards.epoch + 1, owner = excluded.owner, claimed_at = now()
  RETURNING epoch, seq, published_seq`;

const SAVE_CHECKPOINT =
  'SELECT save_shard_checkpoint_ids($1, $2::bigint, $3::bigint, $4, $5, $6, $7::integer, $8, $9::json)';
/** Pieces of ids that no checkpoint needs any more are dropped at every so many checkpoints. */
const PRUNED_EVERY = 32;
const PRUNE_IDS = 'SELECT prune_shard_ids($1, $2::bigint)';

/** The batch that a position lies in has the greatest after_seq that is not above it. */
const NEXT_BATCHES = `SELECT after_seq, to_seq, published_seq, entries FROM journal
  WHERE shard = $1 AND to_seq > $2::bigint
    AND after_seq >= coalesce((SELECT max(after_seq) FROM journal WHERE shard = $1 AND after_seq <= $2::bigint), 0)
  ORDER BY after_seq LIMIT $3::bigint`;

const CHECKPOINTS = `SELECT seq, states, meta, positions FROM shard_checkpoints WHERE shard = $1 ORDER BY seq DESC`;

/** Of all up to a checkpoint, the newest pieces that together have enough, oldest first. */
const IDS = `SELECT encode(packed, 'base64'), others FROM (
    SELECT seq, packed, others, sum(count) OVER (ORDER BY seq DESC) - count AS newer FROM shard_ids
    WHERE shard = $1 AND seq <= $2::bigint) AS aged
  WHERE newer < $3::bigint ORDER BY seq`;

const detailOf = (error: unknown): number => Number((error as { detail?: string }).detail);

/** Connections and what is known of partitions, for all shards of a process. */
export class ShardJournals {
  private readonly pool: TextPool;
  private readonly months: Months;
  private readonly appends: GroupAppends;

  /** @param login the application's role */
  constructor(
    login: Login,
    database: string,
    private readonly options: WritingOptions = {},
  ) {
    this.pool = new TextPool(login, database, options);
    this.months = new Months(this.pool);
    this.appends = new GroupAppends(this.pool);
  }

  /** Journals of one shard that were opened apart are claimed apart. */
  open(shard: string): ShardJournal {
    const { pool, months, appends, options } = this;
    const { wire, onError } = options;
    return new PostgresShardJournal(shard, { pool, months, appends, wire, onError });
  }

  close(): Promise<void> {
    return this.pool.end();
  }
}

/** The journal of one shard in the cluster's log. */
class PostgresShardJournal implements ShardJournal {
  private epoch = 0;
  private checkpoints = 0;

  constructor(
    readonly shard: string,
    private readonly of: { pool: TextPool; months: Months; appends: GroupAppends } & Pick<
      WritingOptions,
      'wire' | 'onError'
    >,
  ) {}

  async claim(owner: string): Promise<ShardClaim> {
    const [row] = await this.of.pool.rows('claim_shard', CLAIM, [this.shard, owner]);
    const [epoch, lastSeq, publishedSeq] = row!.map(Number) as [number, number, number];
    this.epoch = epoch;
    return { epoch, lastSeq, publishedSeq };
  }

  async append(batch: JournalBatch, rows: readonly LogRow[]): Promise<void> {
    assertBatch(batch);
    const streams = new StreamVersions();
    for (const row of rows) {
      if (row.streamId === undefined)
        throw new RangeError(`Row ${row.seq} has no stream: ${row.event.type} is bus-first.`);
      streams.add(row, row.streamId);
    }
    const { months, appends, wire } = this.of;
    await months.ensure(rows);
    const { afterSeq, toSeq, publishedSeq } = batch;
    const entries = wire ? batch.entries.map((entry) => wired(entry, wire)) : batch.entries;
    const stored = rows.map((row) => toStoredRow(wire ? { ...row, event: wire(row.event) } : row));
    const [streamIds, expected, versions] = streams.parameters;
    const text: ShardBatch = {
      ...{ shard: this.shard, epoch: this.epoch, after: afterSeq, to: toSeq, published: publishedSeq },
      ...{ entries: entriesText(entries), rows: stored.length === 0 ? null : JSON.stringify(stored) },
      ...{ streams: streamIds, expected, versions },
    };
    await this.fenced(afterSeq, () => appended(() => appends.add(text)));
  }

  read(afterSeq: number): AsyncIterable<JournalBatch> {
    const page = (after: number, batches: number): Promise<TextRow[]> =>
      this.of.pool.rows('next_journal', NEXT_BATCHES, [this.shard, after, batches]);
    return keysetRows(
      { after: afterSeq, pageRows: PAGE_BATCHES, keyOf: (row) => Number(row[1]), page },
      ([from, to, published, entries]) =>
        batchOf(this.shard, {
          afterSeq: Number(from),
          toSeq: Number(to),
          publishedSeq: Number(published),
          entries: entries!,
        }),
    );
  }

  async saveCheckpoint({ seq, states, meta, positions, ids }: StoredCheckpoint): Promise<void> {
    const { packed, others } = ids;
    const values = [this.shard, this.epoch, seq, states, meta, positions, countOf(ids), packed, JSON.stringify(others)];
    await this.fenced(seq, () => this.of.pool.rows('save_shard_checkpoint', SAVE_CHECKPOINT, values));
    this.checkpoints += 1;
    if (this.checkpoints % PRUNED_EVERY === 0) await this.pruneIds();
  }

  async latestCheckpoint(onUnreadable?: (problem: string) => void): Promise<ShardCheckpoint | null> {
    const rows = await this.of.pool.rows('shard_checkpoints', CHECKPOINTS, [this.shard]);
    for (const [seq, states, meta, positions] of rows) {
      const stored = { seq: Number(seq), states: states!, meta: meta!, positions: positions!, ids: NO_IDS };
      const found = checkpointOf(this.shard, stored);
      if (typeof found !== 'string') return { ...found, ids: await this.idsAt(found.seq) };
      onUnreadable?.(found);
    }
    return null;
  }

  /** The checkpoint is stored whatever comes of this; what was not dropped is dropped the next time. */
  private async pruneIds(): Promise<void> {
    try {
      await this.of.pool.rows('prune_shard_ids', PRUNE_IDS, [this.shard, KEPT_INPUTS]);
    } catch (error) {
      this.of.onError?.(error instanceof Error ? error : new Error(String(error)));
    }
  }

  private async idsAt(seq: number): Promise<PackedIds> {
    const rows = await this.of.pool.rows('shard_ids', IDS, [this.shard, seq, KEPT_INPUTS]);
    const pieces = rows.map(([packed]) => Buffer.from(packed!, 'base64'));
    return {
      packed: Buffer.concat(pieces).toString('base64'),
      others: rows.flatMap(([, others]) => JSON.parse(others!) as string[]),
    };
  }

  private async fenced<T>(seq: number, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      const code = codeOf(error);
      if (code === OTHER_OWNER) throw new ShardLost(this.shard, this.epoch, detailOf(error));
      if (code === DOES_NOT_FOLLOW) throw batchDoesNotFollow(this.shard, seq, detailOf(error));
      throw error;
    }
  }
}

/** Four characters stand for three of the sixteen bytes that an id takes; what fills the last group up adds less than an id. */
const countOf = ({ packed, others }: PackedIds): number => Math.floor((packed.length * 3) / 4 / 16) + others.length;

const wired = (entry: JournalEntry, wire: NonNullable<WritingOptions['wire']>): JournalEntry =>
  entry.kind === 'input' ? { ...entry, event: wire(entry.event) } : entry;

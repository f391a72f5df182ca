import type { AnyEvent } from '@moon/events';
import type { BusPosition } from './bus';
import type { PackedIds } from '../core/recent-ids';
import type { CheckpointEntry, LogRow } from './event-store';

/** `count` messages of one partition handled one after the other, from offset `from` on without a gap. */
export interface MessageRun {
  kind: 'messages';
  topic: BusPosition['topic'];
  partition: number;
  from: number;
  count: number;
}

/** An input that did not come from the broker: a deadline, an adapter's result, what the process itself says. */
export interface OwnInput {
  kind: 'input';
  event: AnyEvent;
}

/** What a shard handled, in the order in which it did (rule 1). Outputs are not in it: they follow from it. */
export type JournalEntry = MessageRun | OwnInput;

/** What one transaction adds. Positions of a shard's log: its inputs and what they led to, numbered from 1. */
export interface JournalBatch {
  /** Exclusive. */
  afterSeq: number;
  /** Inclusive. */
  toSeq: number;
  entries: readonly JournalEntry[];
  /** Everything that the shard had emitted up to here is on the broker. */
  publishedSeq: number;
}

export interface ShardClaim {
  /** Grows with every owner; an older one can append nothing any more. */
  epoch: number;
  lastSeq: number;
  publishedSeq: number;
}

export interface ShardCheckpoint {
  seq: number;
  entries: readonly CheckpointEntry[];
  /** What stands beside the handlers' states: the engine's snapshot, code version. */
  meta: Record<string, unknown>;
  /** The next offset of every partition that the shard has read of. */
  positions: readonly BusPosition[];
  /** To be saved: ids of inputs since the checkpoint before. Read: the newest of all, as many as are kept or more. */
  ids: PackedIds;
}

/** A checkpoint with its parts as they are stored: JSON texts, and ids in pieces that are never written twice. */
export interface StoredCheckpoint {
  seq: number;
  states: string;
  meta: string;
  positions: string;
  ids: PackedIds;
}

/**
 * The record of one shard: the order of what it consumed, its checkpoints, and who owns it. The events that it emits into
 * streams are stored in the transaction that stores the inputs which led to them.
 */
export interface ShardJournal {
  readonly shard: string;
  /** Makes the caller the owner; whoever was it before is fenced off from then on. */
  claim(owner: string): Promise<ShardClaim>;
  /**
   * One transaction: the batch and the stream rows (`rows`, all with stream and version). Repeated with the same content
   * after an unknown outcome it changes nothing.
   *
   * @throws ShardLost another owner has claimed the shard
   * @throws ConcurrencyConflict a stream is not at the expected version
   */
  append(batch: JournalBatch, rows: readonly LogRow[]): Promise<void>;
  /** Batches above a position, oldest first. */
  read(afterSeq: number): AsyncIterable<JournalBatch>;
  /** Kept: the last three. As texts, so that what they say is of one moment (see `checkpointTexts`). @throws ShardLost */
  saveCheckpoint(checkpoint: StoredCheckpoint): Promise<void>;
  /**
   * The newest one that can be read. One that does not parse is passed over and named by `onUnreadable`.
   */
  latestCheckpoint(onUnreadable?: (problem: string) => void): Promise<ShardCheckpoint | null>;
}

/** Another instance owns the shard: this one must forget it and may say nothing more for it. */
export class ShardLost extends Error {
  override readonly name = 'ShardLost';
  constructor(
    readonly shard: string,
    readonly epoch: number,
    readonly currentEpoch: number,
  ) {
    super(`Shard ${shard} was taken over: epoch ${currentEpoch} owns it, this instance held epoch ${epoch}.`);
  }
}

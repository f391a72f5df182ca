import type { AnyEvent } from '@moon/events';

/** One event of the log. `seq` is gap-free over both tables; a store-first event also has its stream and version. */
export interface LogRow {
  seq: number;
  event: AnyEvent;
  streamId?: string;
  /** 1 for the first event of the stream. */
  version?: number;
}

/** A handler's state in a checkpoint; `state` is plain JSON. */
export interface CheckpointEntry {
  handler: string;
  key: string;
  state: unknown;
}

export interface Checkpoint {
  /** The last event that the checkpoint contains. */
  seq: number;
  entries: CheckpointEntry[];
  meta: Record<string, unknown>;
}

export interface EventQuery {
  types?: readonly string[];
  token?: string;
  key?: string;
  /** Epoch ms, inclusive. */
  from?: number;
  /** Epoch ms, exclusive. */
  to?: number;
  correlationId?: string;
  causationId?: string;
  eventId?: string;
  streamId?: string;
  order?: 'oldest' | 'newest';
  /** Rows a page at most. */
  limit: number;
  cursor?: string;
}

export interface EventPage {
  rows: LogRow[];
  /** To be given back for the next page; null after the last. */
  cursor: string | null;
}

/** The log of one run: append-only, in one order. */
export interface EventStore {
  /**
   * Appends rows in one transaction, stream rows with compare-and-set on their stream (expected version = version − 1).
   * Idempotent by event id: rows that are there already are passed over.
   * @throws ConcurrencyConflict another writer owns the stream
   * @throws LogDiverged a seq is stored already with another event
   */
  appendBatch(rows: readonly LogRow[]): Promise<void>;
  /** Rows above `fromSeq` in the order of seq. */
  readLog(fromSeq: number, limit?: number): AsyncIterable<LogRow>;
  lastSeq(): Promise<number>;
  readStream(streamId: string, fromVersion?: number): AsyncIterable<LogRow>;
  query(query: EventQuery): Promise<EventPage>;
  /** How many events of each type the log holds. */
  countsByType(): Promise<Record<string, number>>;
  /** Stores a consistent cut; the last three are kept. */
  saveCheckpoint(seq: number, entries: readonly CheckpointEntry[], meta: Record<string, unknown>): Promise<void>;
  latestCheckpoint(): Promise<Checkpoint | null>;
  saveSnapshot(streamId: string, version: number, state: unknown): Promise<void>;
  loadSnapshot(streamId: string): Promise<{ version: number; state: unknown } | null>;
  close(): Promise<void>;
}

/** A stream was appended to by somebody else: its owner is no longer the owner. */
export class ConcurrencyConflict extends Error {
  override readonly name = 'ConcurrencyConflict';
  constructor(
    readonly streamId: string,
    readonly expected: number,
    readonly actual: number,
  ) {
    super(
      `Stream ${streamId} is at version ${actual}, not ${expected}: another writer has appended to it. ` +
        'Stop this instance; only one may own a stream.',
    );
  }
}

/** The log holds another event at a position than the one that is to be written. */
export class LogDiverged extends Error {
  override readonly name = 'LogDiverged';
  constructor(
    readonly seq: number,
    readonly storedId: string,
    readonly givenId: string,
  ) {
    super(
      `Position ${seq} of the log holds event ${storedId}, not ${givenId}: two runs write to one log. Stop one of them.`,
    );
  }
}

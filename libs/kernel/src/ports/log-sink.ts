import type { LogRow } from './event-store';

/** Where the engine puts every sequenced event. */
export interface LogSink {
  /** @param isInput false for what a handler emitted */
  append(row: LogRow, isInput: boolean): void;
  /** False: rows need not say which stream they belong to, nor at which version; nobody asks, or the log counts by itself. */
  readonly keepsStreams: boolean;
  /** Resolves when everything up to and including `seq` is stored. */
  durable(seq: number): Promise<void>;
  readonly durableSeq: number;
  /**
   * Keeps everything up to `seq` on this machine, for what must not wait for a store that does not answer. Absent where a
   * log has no such place. @throws Error it could not be kept
   */
  secure?(seq: number): Promise<void>;
  readonly isFull: boolean;
  room(): Promise<void>;
  /** Rows sequenced but not stored yet. */
  readonly backlog: number;
  /** Why nothing can be stored any more; null as long as it can. */
  readonly fatal: Error | null;
}

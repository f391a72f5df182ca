import type { EventStore, LogRow } from '../ports/event-store';
import type { LogSink } from '../ports/log-sink';
import { DurableWaiters } from './durable-waiters';

export interface LogWriterOptions {
  /** Rows in one transaction at most. */
  maxBatch?: number;
  /** Rows waiting at which `isFull` turns true: whoever feeds the engine then waits for `room()`. */
  highWater?: number;
  /** Told of every failed write, before it is tried again after `retryMs`. */
  onRetry?: (error: Error, attempt: number) => void;
  /** Told of every batch that is stored: its rows, and the wall time that storing it took, ms. */
  onWritten?: (rows: number, elapsedMs: number) => void;
  /** Told once when writing has ended for good (another writer owns a stream, the log diverged). */
  onFatal?: (error: Error) => void;
  isTransient?: (error: unknown) => boolean;
  retryMs?: number;
}

/**
 * Writes the log strictly in order, behind the engine: while one transaction is under way the next one fills.
 * The stored log is therefore always a prefix of what happened, and no event is stored before its cause (rule 26).
 */
export class LogWriter implements LogSink {
  readonly keepsStreams = true;
  private waiting: LogRow[] = [];
  private writing = false;
  private failure: Error | null = null;
  private stored: number;
  private readonly waiters = new DurableWaiters();
  private readonly roomWaiters: Array<() => void> = [];

  constructor(
    private readonly store: EventStore,
    startSeq: number,
    private readonly options: LogWriterOptions = {},
  ) {
    this.stored = startSeq;
  }

  get durableSeq(): number {
    return this.stored;
  }

  /** Rows sequenced but not stored yet. */
  get backlog(): number {
    return this.waiting.length;
  }

  get isFull(): boolean {
    return this.waiting.length >= (this.options.highWater ?? 20_000);
  }

  get fatal(): Error | null {
    return this.failure;
  }

  append(row: LogRow): void {
    this.waiting.push(row);
    if (!this.writing && !this.failure) {
      this.writing = true;
      setImmediate(() => void this.writeAll());
    }
  }

  durable(seq: number): Promise<void> {
    if (seq <= this.stored) return Promise.resolve();
    if (this.failure) return Promise.reject(this.failure);
    return this.waiters.wait(seq);
  }

  room(): Promise<void> {
    if (!this.isFull || this.failure) return Promise.resolve();
    return new Promise((resolve) => this.roomWaiters.push(resolve));
  }

  private async writeAll(): Promise<void> {
    while (this.waiting.length > 0 && !this.failure) {
      const batch = this.waiting.splice(0, this.options.maxBatch ?? 2_000);
      const last = batch[batch.length - 1];
      const startedAt = performance.now();
      if (!(await this.write(batch)) || !last) break;
      this.options.onWritten?.(batch.length, performance.now() - startedAt);
      this.stored = last.seq;
      this.wake();
    }
    this.writing = false;
  }

  /** Tries until the batch is stored; false when it never can be. A batch is idempotent by event id. */
  private async write(batch: LogRow[]): Promise<boolean> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        await this.store.appendBatch(batch);
        return true;
      } catch (thrown) {
        const error = thrown instanceof Error ? thrown : new Error(String(thrown));
        if (!(this.options.isTransient?.(thrown) ?? false)) return this.stop(error);
        this.options.onRetry?.(error, attempt);
        await new Promise((resolve) => setTimeout(resolve, Math.min(5_000, (this.options.retryMs ?? 100) * attempt)));
      }
    }
  }

  private stop(error: Error): false {
    this.failure = error;
    this.waiters.fail(error);
    for (const resolve of this.roomWaiters.splice(0)) resolve();
    this.options.onFatal?.(error);
    return false;
  }

  private wake(): void {
    this.waiters.wake(this.stored);
    if (!this.isFull) for (const resolve of this.roomWaiters.splice(0)) resolve();
  }
}

/** A log that is kept by nobody, or by a callback: for replays, which hash or count instead of storing. */
export class VolatileLog implements LogSink {
  readonly keepsStreams = true;
  durableSeq = 0;
  readonly isFull = false;
  readonly fatal = null;
  readonly backlog = 0;

  constructor(private readonly onRow?: (row: LogRow, isInput: boolean) => void) {}

  append(row: LogRow, isInput: boolean): void {
    this.durableSeq = row.seq;
    this.onRow?.(row, isInput);
  }

  durable(): Promise<void> {
    return Promise.resolve();
  }

  room(): Promise<void> {
    return Promise.resolve();
  }
}

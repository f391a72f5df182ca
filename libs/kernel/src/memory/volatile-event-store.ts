import { createHash, type Hash } from 'node:crypto';
import type { Checkpoint, EventPage, EventStore, LogRow } from '../ports/event-store';

/**
 * Takes a log and keeps only what sums it up: counts and a hash over every event's id, in order. For replays, whose log
 * can be made again at any time.
 */
export class VolatileEventStore implements EventStore {
  private readonly counts: Record<string, number> = {};
  private readonly hash: Hash = createHash('sha256');
  private last = 0;

  /** SHA-256 over the ids of all events in the order of the log. */
  eventHash(): string {
    return this.hash.copy().digest('hex');
  }

  appendBatch(rows: readonly LogRow[]): Promise<void> {
    for (const { seq, event } of rows) {
      this.counts[event.type] = (this.counts[event.type] ?? 0) + 1;
      this.hash.update(event.id);
      this.last = seq;
    }
    return Promise.resolve();
  }

  async *readLog(): AsyncIterable<LogRow> {
    yield* [];
  }

  async *readStream(): AsyncIterable<LogRow> {
    yield* [];
  }

  lastSeq(): Promise<number> {
    return Promise.resolve(this.last);
  }

  query(): Promise<EventPage> {
    return Promise.resolve({ rows: [], cursor: null });
  }

  countsByType(): Promise<Record<string, number>> {
    return Promise.resolve({ ...this.counts });
  }

  saveCheckpoint(): Promise<void> {
    return Promise.resolve();
  }

  latestCheckpoint(): Promise<Checkpoint | null> {
    return Promise.resolve(null);
  }

  saveSnapshot(): Promise<void> {
    return Promise.resolve();
  }

  loadSnapshot(): Promise<null> {
    return Promise.resolve(null);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

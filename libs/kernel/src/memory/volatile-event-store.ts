import { createHash, type Hash } from 'node:crypto';
import { isOfFeed } from '../core/feed-inputs';
import type { Checkpoint, EventPage, EventStore, LogRow } from '../ports/event-store';
import type { LogSink } from '../ports/log-sink';

/** Text that is gathered before it is hashed: a call of the hash costs more than its bytes. */
const HASHED_AT_ONCE = 65_536;

/**
 * Takes a log and keeps only what sums it up: counts, and a hash over what happened. For replays, whose log can be made
 * again at any time. It is its own sink: nothing has to be waited for.
 */
export class VolatileEventStore implements EventStore, LogSink {
  readonly keepsStreams = false;
  readonly isFull = false;
  readonly fatal = null;
  readonly backlog = 0;
  durableSeq = 0;
  private readonly counts = new Map<string, { count: number }>();
  private readonly hash: Hash = createHash('sha256');
  private pending = '';

  /**
   * @param inputsAreFingerprinted the inputs of feeds are summed up by their source's fingerprint: they are counted here
   *   and not hashed again
   */
  constructor(private readonly inputsAreFingerprinted = false) {}

  /**
   * SHA-256 over id and data of every event in the order of the log; of the inputs of feeds over their ids alone, which
   * are made from their values, or over the fingerprint of their source in place of them.
   */
  eventHash(fingerprint = ''): string {
    return this.hash
      .copy()
      .update(this.pending + fingerprint)
      .digest('hex');
  }

  append(row: LogRow): void {
    const { event } = row;
    this.durableSeq = row.seq;
    const known = this.counts.get(event.type);
    if (known === undefined) this.counts.set(event.type, { count: 1 });
    else known.count += 1;
    if (isOfFeed(event)) {
      if (this.inputsAreFingerprinted) return;
      this.pending += event.id;
    } else this.pending += event.id + JSON.stringify(event.data);
    if (this.pending.length < HASHED_AT_ONCE) return;
    this.hash.update(this.pending);
    this.pending = '';
  }

  durable(): Promise<void> {
    return Promise.resolve();
  }

  room(): Promise<void> {
    return Promise.resolve();
  }

  appendBatch(rows: readonly LogRow[]): Promise<void> {
    for (const row of rows) this.append(row);
    return Promise.resolve();
  }

  async *readLog(): AsyncIterable<LogRow> {
    yield* [];
  }

  async *readStream(): AsyncIterable<LogRow> {
    yield* [];
  }

  lastSeq(): Promise<number> {
    return Promise.resolve(this.durableSeq);
  }

  query(): Promise<EventPage> {
    return Promise.resolve({ rows: [], cursor: null });
  }

  countsByType(): Promise<Record<string, number>> {
    return Promise.resolve(Object.fromEntries([...this.counts].map(([type, { count }]) => [type, count])));
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

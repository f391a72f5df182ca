import type { LogRow } from '../../ports/event-store';
import type { ThreadItem } from './protocol';

/** The stored log above a position, at most `limit` rows of it; everything sequenced before the call is in it. */
export type ReadLog = (fromSeq: number, limit?: number) => AsyncIterable<LogRow>;

export interface FeedLimits {
  /** Events on their way to a thread and not answered yet, at most. */
  inFlight: number;
  /** Events that wait in memory, at most; beyond this the thread reads the stored log instead. */
  queued: number;
}

/** Rows that are read of the log in one go: a thread that is behind must not hold up the one that feeds it. */
const ROWS_AT_ONCE = 256;
/** Time between two marks by which the lag is told, wall ms. */
const MARK_EVERY_MS = 100;

/**
 * What one thread is to handle next, in the order of the log. As long as the thread keeps up, events come from memory;
 * one that is behind (after a restart, or because its queue was full) reads the stored log until it has caught up.
 */
export class ThreadFeed {
  private queue: ThreadItem[] = [];
  private unanswered: ThreadItem[] = [];
  private postedSeq: number;
  private sentSeq = 0;
  private ackedSeq = 0;
  /** The log is read up to here, and only later events are kept in memory; 0 = nothing is read. */
  private readTo: number;
  private isReading = false;
  /** When events were posted, coarsely: the lag is the age of the oldest mark that is not answered. */
  private marks: Array<{ seq: number; at: number }> = [];
  private lastWanted = 0;

  /** @param postedSeq position of the last event that will not be posted: it is in the log */
  constructor(
    postedSeq: number,
    private readonly limits: FeedLimits,
    private readonly readLog: ReadLog,
    private readonly wall: () => number,
  ) {
    this.postedSeq = postedSeq;
    this.readTo = postedSeq;
  }

  /** The thread stands at `seq`: it gets everything later that `wants` lets through. */
  start(seq: number, wants: (item: ThreadItem) => boolean): void {
    this.sentSeq = seq;
    this.ackedSeq = seq;
    this.queue = this.queue.filter((item) => item.seq > seq && wants(item));
    if (seq >= this.readTo) this.readTo = 0;
  }

  /** Position of the last event that was posted. */
  get posted(): number {
    return this.postedSeq;
  }

  get isBehind(): boolean {
    return this.readTo > 0;
  }

  get isEmpty(): boolean {
    return this.readTo === 0 && this.queue.length === 0 && this.unanswered.length === 0;
  }

  /** True when the thread has answered everything up to a position. */
  hasAnswered(seq: number): boolean {
    if (this.isBehind) return false;
    const oldest = this.unanswered[0] ?? this.queue[0];
    return oldest === undefined || oldest.seq > seq;
  }

  /** Position up to which the thread has got everything. */
  get sent(): number {
    return this.sentSeq;
  }

  /** Position up to which the thread has answered. */
  get acked(): number {
    return this.ackedSeq;
  }

  /** Events that are not answered; while the log is read, an upper bound. */
  get length(): number {
    const unread = this.isBehind ? Math.max(0, Math.min(this.readTo, this.postedSeq) - this.sentSeq) : 0;
    return this.queue.length + this.unanswered.length + unread;
  }

  /** How long the oldest unanswered event has been waiting, wall ms. */
  get lagMs(): number {
    const oldest = this.marks[0];
    return oldest === undefined || this.isEmpty ? 0 : Math.max(0, this.wall() - oldest.at);
  }

  /** An item that the thread was given and has not answered. */
  given(seq: number): ThreadItem | undefined {
    return this.unanswered.find((item) => item.seq === seq);
  }

  /** Notes that the log has come to `seq`, whether the thread wants that event or not. */
  passed(seq: number): void {
    this.postedSeq = seq;
  }

  keep(item: ThreadItem): void {
    this.lastWanted = item.seq;
    if (item.seq <= this.readTo) return;
    this.queue.push(item);
    if (this.queue.length <= this.limits.queued) return;
    this.queue = [];
    this.readTo = Number.POSITIVE_INFINITY;
  }

  /** Takes what may be sent now, out of memory; null when there is nothing, or the log must be read first. */
  take(): ThreadItem[] | null {
    this.mark();
    const room = this.limits.inFlight - this.unanswered.length;
    if (this.isBehind || room <= 0) return null;
    const items = this.queue.length <= room ? this.queue : this.queue.slice(0, room);
    this.queue = this.queue.length <= room ? [] : this.queue.slice(room);
    const last = items[items.length - 1];
    this.sentSeq = this.queue.length === 0 ? this.postedSeq : Math.max(this.sentSeq, last?.seq ?? 0);
    if (!last) return null;
    for (const item of items) this.unanswered.push(item);
    return items;
  }

  /** Reads on in the log: what may be sent now; null while another reading is under way or nothing more may be sent. */
  async read(itemOf: (row: LogRow) => Promise<ThreadItem | null>): Promise<ThreadItem[] | null> {
    if (this.isReading || !this.isBehind || this.unanswered.length >= this.limits.inFlight) return null;
    this.isReading = true;
    try {
      // The queue was full: from here on it is filled again, and the log is read up to here.
      if (this.readTo === Number.POSITIVE_INFINITY) this.readTo = this.postedSeq;
      const end = this.readTo;
      const items: ThreadItem[] = [];
      let reached = end;
      let rows = 0;
      for await (const row of this.readLog(this.sentSeq, ROWS_AT_ONCE)) {
        if (row.seq > end) break;
        const item = await itemOf(row);
        if (item) items.push(item);
        rows += 1;
        if (rows < ROWS_AT_ONCE && items.length < this.limits.inFlight) continue;
        reached = row.seq;
        break;
      }
      this.sentSeq = Math.max(this.sentSeq, reached);
      if (this.sentSeq >= this.readTo) this.readTo = 0;
      for (const item of items) this.unanswered.push(item);
      return items;
    } finally {
      this.isReading = false;
    }
  }

  /** The thread has handled the `count` oldest items that it was given, the last of them at `seq`. */
  answered(seq: number, count: number): void {
    this.unanswered.splice(0, count);
    this.ackedSeq = Math.max(this.ackedSeq, seq);
    let done = 0;
    while (done < this.marks.length && (this.marks[done]?.seq ?? 0) <= seq) done += 1;
    this.marks.splice(0, done);
  }

  private mark(): void {
    const last = this.marks[this.marks.length - 1];
    if (this.lastWanted <= Math.max(this.ackedSeq, last?.seq ?? 0)) return;
    const now = this.wall();
    if (last === undefined || now - last.at >= MARK_EVERY_MS) this.marks.push({ seq: this.lastWanted, at: now });
  }
}

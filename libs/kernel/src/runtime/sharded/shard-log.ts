import type { AnyEvent } from '@moon/events';
import { asError } from '../../core/as-error';
import { DurableWaiters } from '../../log/durable-waiters';
import type { BusPosition, EventPublisher } from '../../ports/bus';
import { PublisherStopped } from '../../ports/bus';
import { ConcurrencyConflict, type LogRow } from '../../ports/event-store';
import type { JournalEntry, MessageRun, ShardClaim, ShardJournal } from '../../ports/journal';
import type { KeptBatch, LocalJournal } from '../../ports/local-journal';
import type { LogSink } from '../../ports/log-sink';
import { followOn, type StreamNumbers } from './stream-numbers';

export interface ShardLogOptions {
  journal: ShardJournal;
  publisher: Pick<EventPublisher, 'publish'>;
  claim: ShardClaim;
  /** Keeps what must not wait for a store that is away; without it everything waits. */
  local?: LocalJournal;
  /** Versions of the shard's own streams, as at its checkpoint. */
  numbers: StreamNumbers;
  /** Which errors of the journal pass by themselves; the others end the shard. */
  isTransient?: (error: unknown) => boolean;
  /** Told of every failed write, before it is tried again. */
  onRetry?: (error: Error, attempt: number) => void;
  /** Told of every batch that is stored: its inputs, and the wall time that storing it took, ms. */
  onWritten?: (inputs: number, elapsedMs: number) => void;
  /** Told what an operator should know. */
  onProblem?: (message: string, context: Record<string, unknown>) => void;
  /** Told once when the shard can write nothing any more. */
  onFatal: (error: Error) => void;
  retryMs?: number;
  /** Inputs and outputs under way at which `isFull` turns true. */
  highWater?: number;
}

interface Pending {
  /** Messages, own inputs, rows and outputs. */
  count: number;
  entries: JournalEntry[];
  rows: LogRow[];
  outputs: AnyEvent[];
}

/** A batch that nothing is added to any more. */
type Closed = Pending & { toSeq: number };

const HIGH_WATER = 20_000;

/**
 * Writes a shard's journal behind its engine: while one transaction is under way the next one fills. What the shard
 * emits becomes visible only after the inputs that led to it are stored: streams in the same transaction, everything
 * else published after it (rules 1 and 26).
 */
export class ShardLog implements LogSink {
  readonly keepsStreams = false;
  private pending: Pending = nothing();
  /** Filled and closed by `cut`, oldest first; written before `pending`. */
  private readonly ready: Closed[] = [];
  private incoming: BusPosition | null = null;
  private sequenced: number;
  private stored: number;
  private published: number;
  /** What was emitted before a crash and may not have been published: published again once the shard is live. */
  private republish: AnyEvent[] = [];
  /** The batch whose transaction is under way; its content stays as it is until it is stored. */
  private underWay: Closed | null = null;
  /** Journal position up to which batches are kept on this machine; 0 when none are. */
  private kept = 0;
  private keeping: Promise<unknown> = Promise.resolve();
  private isWriting = false;
  private failure: Error | null = null;
  private unpublished = 0;
  private publishing = Promise.resolve();
  private readonly waiters = new DurableWaiters();
  private readonly roomWaiters: Array<() => void> = [];

  constructor(private readonly options: ShardLogOptions) {
    this.sequenced = options.claim.lastSeq;
    this.stored = options.claim.lastSeq;
    this.published = options.claim.publishedSeq;
  }

  /** Journal position up to which everything is stored. */
  get durableSeq(): number {
    return this.stored;
  }

  /** Journal position up to which everything emitted is on the broker. */
  get publishedSeq(): number {
    return this.published;
  }

  /** Whether anything was sequenced behind what the journal held when the shard was opened. */
  get hasNew(): boolean {
    return this.sequenced > this.options.claim.lastSeq;
  }

  get backlog(): number {
    const ready = this.ready.reduce((sum, { count }) => sum + count, 0);
    return (this.underWay?.count ?? 0) + ready + this.pending.count + this.unpublished;
  }

  get isFull(): boolean {
    return this.backlog >= (this.options.highWater ?? HIGH_WATER);
  }

  get fatal(): Error | null {
    return this.failure;
  }

  /** Says where the input that the engine is about to take comes from; null: it is the shard's own. */
  expect(position: BusPosition | null): void {
    this.incoming = position;
  }

  append(row: LogRow, isInput: boolean): void {
    const position = isInput ? this.incoming : null;
    if (isInput) this.incoming = null;
    const stream = position ? undefined : this.options.numbers.number(row, this.options.journal.shard);
    if (row.seq <= this.options.claim.lastSeq) {
      // Handled again from the journal: it is stored, and perhaps published.
      if (!position && !stream && row.seq > this.published) this.republish.push(row.event);
      return;
    }
    this.sequenced = row.seq;
    this.pending.count += 1;
    if (position) addToRuns(this.pending.entries, position);
    else if (isInput) this.pending.entries.push({ kind: 'input', event: row.event });
    if (stream) this.pending.rows.push(stream);
    else if (!position) this.pending.outputs.push(row.event);
    this.schedule();
  }

  /**
   * Ends the batch here: a checkpoint of this moment then stands between two batches, and what is handled again after it
   * begins with the first input that it does not contain.
   */
  cut(): void {
    if (this.pending.entries.length === 0) return;
    followOn(this.pending.rows);
    this.ready.push({ ...this.pending, toSeq: this.sequenced });
    this.pending = nothing();
  }

  durable(seq: number): Promise<void> {
    if (seq <= this.stored) return Promise.resolve();
    if (this.failure) return Promise.reject(this.failure);
    return this.waiters.wait(seq);
  }

  /** Keeps every batch that is not stored yet on this machine; without a place for it, waits for the store. */
  async secure(seq: number): Promise<void> {
    const { local, journal, onProblem } = this.options;
    if (seq <= this.stored) return;
    if (this.failure) throw this.failure;
    if (!local) return this.durable(seq);
    // One after the other, each with what the one before it did not get onto the disk.
    const done = this.keeping.then(() => this.keep(local));
    this.keeping = done.catch(() => undefined);
    await done;
    // Taken over meanwhile: whoever owns the shard now decides what leaves.
    const { fatal } = this;
    if (fatal) throw fatal;
    const context = { shard: journal.shard, stored: this.stored, kept: this.kept };
    onProblem?.('the store does not answer: what must not wait is kept on this machine and done', context);
  }

  private async keep(local: LocalJournal): Promise<void> {
    this.cut();
    const batches = this.notKept();
    const last = batches.at(-1)?.batch.toSeq;
    if (last === undefined) return;
    await local.keep(batches);
    this.kept = last;
    if (this.stored >= last) this.forgetKept();
  }

  /** Batches that neither store nor this machine has, as they will be appended. */
  private notKept(): KeptBatch[] {
    const batches: KeptBatch[] = [];
    let afterSeq = this.stored;
    for (const { entries, rows, toSeq } of [...(this.underWay ? [this.underWay] : []), ...this.ready]) {
      if (toSeq > this.kept) batches.push({ batch: { afterSeq, toSeq, entries, publishedSeq: this.published }, rows });
      afterSeq = toSeq;
    }
    return batches;
  }

  /** Resolves when everything up to now is stored and published. @throws the reason why it never will be */
  async settled(): Promise<void> {
    await this.durable(this.sequenced);
    await this.publishing;
    if (this.failure) throw this.failure;
  }

  room(): Promise<void> {
    if (!this.isFull || this.failure) return Promise.resolve();
    return new Promise((resolve) => this.roomWaiters.push(resolve));
  }

  /** The journal has been handled again: what may not have been published before the crash is published now. */
  recovered(): void {
    const events = this.republish;
    this.republish = [];
    this.publish(events, this.options.claim.lastSeq);
  }

  private schedule(): void {
    if (this.isWriting || this.failure) return;
    this.isWriting = true;
    setImmediate(() => void this.writeAll());
  }

  private async writeAll(): Promise<void> {
    while (!this.failure) {
      this.cut();
      const next = this.ready.shift();
      if (!next) break;
      this.underWay = next;
      const { entries, rows, outputs, toSeq } = next;
      const startedAt = performance.now();
      const batch = { afterSeq: this.stored, toSeq, entries, publishedSeq: this.published };
      if (!(await this.write(() => this.options.journal.append(batch, rows)))) return;
      this.options.onWritten?.(entries.length, performance.now() - startedAt);
      this.underWay = null;
      this.stored = toSeq;
      if (this.kept > 0 && toSeq >= this.kept) this.forgetKept();
      this.publish(outputs, toSeq);
      this.wake();
    }
    this.isWriting = false;
  }

  /** The store has all that this machine kept. What cannot be removed does no harm: whoever reads it finds it stored. */
  private forgetKept(): void {
    const { local, journal, onProblem } = this.options;
    this.kept = 0;
    this.keeping = this.keeping
      .then(() => (this.kept === 0 ? local?.clear() : undefined))
      .catch((thrown: unknown) => {
        const context = { shard: journal.shard, error: asError(thrown).message };
        onProblem?.('what was kept on this machine is stored, and could not be removed', context);
      });
  }

  /** Tries until it is stored; false when it never can be. An append is idempotent. */
  private async write(append: () => Promise<void>): Promise<boolean> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        await append();
        return true;
      } catch (thrown) {
        const error = asError(thrown);
        if (error instanceof ConcurrencyConflict && this.options.numbers.goOn(error, this.notStored())) continue;
        if (!(this.options.isTransient?.(thrown) ?? false)) return this.fail(error);
        this.options.onRetry?.(error, attempt);
        const pauseMs = Math.min(1_000, (this.options.retryMs ?? 100) * attempt);
        await new Promise((resolve) => setTimeout(resolve, pauseMs));
      }
    }
  }

  private notStored(): LogRow[] {
    return [...(this.underWay?.rows ?? []), ...this.ready.flatMap(({ rows }) => rows), ...this.pending.rows];
  }

  private publish(events: readonly AnyEvent[], toSeq: number): void {
    this.unpublished += events.length;
    const sent =
      events.length === 0 ? Promise.resolve() : this.options.publisher.publish(events, this.options.journal.shard);
    this.publishing = Promise.all([this.publishing, sent]).then(
      () => {
        this.unpublished -= events.length;
        if (!this.failure && toSeq > this.published) this.published = toSeq;
        this.wakeRoom();
      },
      (thrown: unknown) => {
        // Stopped: what was not acknowledged is published again by whoever handles the journal next.
        if (!(thrown instanceof PublisherStopped)) this.fail(asError(thrown));
        else this.failure ??= thrown;
      },
    );
  }

  /** Writes nothing more from here on: what is not stored yet is handled anew by whoever opens the shard next. */
  abandon(error: Error): void {
    if (this.failure) return;
    this.failure = error;
    this.waiters.fail(error);
    for (const resolve of this.roomWaiters.splice(0)) resolve();
  }

  private fail(error: Error): false {
    if (this.failure) return false;
    this.abandon(error);
    this.options.onFatal(error);
    return false;
  }

  private wake(): void {
    this.waiters.wake(this.stored);
    this.wakeRoom();
  }

  private wakeRoom(): void {
    if (!this.isFull) for (const resolve of this.roomWaiters.splice(0)) resolve();
  }
}

const nothing = (): Pending => ({ count: 0, entries: [], rows: [], outputs: [] });

/** Puts a message to the run that it goes on, or begins a new one. */
function addToRuns(entries: JournalEntry[], { topic, partition, offset }: BusPosition): void {
  const last = entries[entries.length - 1];
  if (last?.kind === 'messages' && isNext(last, { topic, partition, offset })) last.count += 1;
  else entries.push({ kind: 'messages', topic, partition, from: offset, count: 1 });
}

function isNext(run: MessageRun, { topic, partition, offset }: BusPosition): boolean {
  return run.topic === topic && run.partition === partition && run.from + run.count === offset;
}

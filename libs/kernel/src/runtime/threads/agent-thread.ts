import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { AnyEvent } from '@moon/events';
import type { HandlerState } from '../../core/handler-host';
import type { LogRow } from '../../ports/event-store';
import { PROGRESS, type AgentModule, type FromThread, type RecordedSkip, type ThreadItem, type ThreadOutput, type ToThread } from './protocol';

/** What a thread starts from: the states at a position of the log. */
export interface ThreadBase {
  seq: number;
  states: readonly HandlerState[];
  skips: readonly RecordedSkip[];
  /** Outputs for events up to here were accepted already and are dropped. */
  silentUpTo: number;
}

export interface ThreadHooks {
  onOutputs(outputs: readonly ThreadOutput[]): void;
  onBroken(thread: AgentThread, error: Error): void;
  /** The stored log above a position; everything sequenced so far is stored when the first row comes. */
  readLog(fromSeq: number): AsyncIterable<LogRow>;
}

/** Events on their way to a thread and not answered yet. */
const WINDOW = 4_096;
/** Events that wait in memory; beyond this the thread reads the log instead (its queue is bounded). */
const MAX_QUEUED = 50_000;
const CATCH_UP_PAGE = 2_000;

/** One worker thread with its agents, fed in the order of the log. A thread that falls far behind reads the stored log. */
export class AgentThread {
  handlers: ReadonlyArray<{ name: string; types: string[] }> = [];
  /** Settles when the thread has built its agents, or could not. */
  readonly ready: Promise<void>;
  private readonly worker: Worker;
  private markReady: () => void = () => undefined;
  private markBroken: (error: Error) => void = () => undefined;
  private readonly progress = new SharedArrayBuffer(PROGRESS.length * Float64Array.BYTES_PER_ELEMENT);
  private readonly shared = new Float64Array(this.progress);
  private readonly types = new Set<string>();
  private queue: ThreadItem[] = [];
  private inFlight = 0;
  private sentSeq: number;
  private ackedSeq: number;
  private postedSeq: number;
  private isBehind: boolean;
  private isReading = false;
  private isStopped = false;
  private readonly answers = new Map<number, (value: unknown) => void>();
  private asked = 0;
  private idleWaiters: Array<() => void> = [];
  /** Wall time and event time of the oldest event that is not answered; null when there is none. */
  private oldest: { postedAt: number } | null = null;

  constructor(
    readonly module: AgentModule,
    private readonly base: ThreadBase,
    postedSeq: number,
    private readonly hooks: ThreadHooks,
    private readonly wall: () => number,
  ) {
    this.sentSeq = base.seq;
    this.ackedSeq = base.seq;
    this.postedSeq = postedSeq;
    this.isBehind = postedSeq > base.seq;
    this.shared[PROGRESS.handler] = -1;
    this.ready = new Promise((resolve, reject) => {
      this.markReady = resolve;
      this.markBroken = reject;
    });
    this.ready.catch(() => undefined);
    this.worker = new Worker(join(__dirname, 'agent.worker.js'), { workerData: { module, progress: this.progress } });
    this.worker.on('message', (message: FromThread) => this.receive(message));
    this.worker.on('error', (error) => this.broke(error));
    this.worker.on('exit', (code) => {
      if (!this.isStopped) this.broke(new Error(`The thread of ${this.names.join(', ')} ended with code ${code}.`));
    });
  }

  get names(): string[] {
    return this.handlers.length > 0 ? this.handlers.map((handler) => handler.name) : [...(this.module.only ?? [])];
  }

  get queued(): number {
    return this.queue.length + this.inFlight + (this.isBehind ? Math.max(0, this.postedSeq - this.sentSeq) : 0);
  }

  /** Where this thread would start again: its base. */
  get laggingAt(): { seq: number; states: readonly HandlerState[] } {
    return { seq: this.base.seq, states: this.base.states };
  }

  /** Position up to which outputs have been accepted. */
  get acked(): number {
    return this.ackedSeq;
  }

  get isIdle(): boolean {
    return this.handlers.length > 0 && !this.isBehind && this.queue.length === 0 && this.inFlight === 0;
  }

  /** How long the oldest unanswered event has been waiting, wall ms. */
  get lagMs(): number {
    return this.oldest === null || this.isIdle ? 0 : this.wall() - this.oldest.postedAt;
  }

  /** The agent that is handling an event right now, since when (wall ms) and which (seq); null when idle. */
  get busy(): { handler: string; seq: number; since: number } | null {
    const handler = this.handlers[this.shared[PROGRESS.handler] ?? -1];
    return handler ? { handler: handler.name, seq: this.shared[PROGRESS.seq] ?? 0, since: this.shared[PROGRESS.since] ?? 0 } : null;
  }

  post(seq: number, event: AnyEvent): void {
    this.postedSeq = seq;
    if (this.isBehind || !this.wants(event)) return;
    this.oldest ??= { postedAt: this.wall() };
    this.queue.push({ seq, event });
    if (this.queue.length > MAX_QUEUED) {
      this.queue = [];
      this.isBehind = true;
    }
  }

  redeliver(seq: number, only: { handler: string; key: string }, original: AnyEvent): void {
    this.queue.push({ seq, event: original, only });
  }

  flush(): void {
    if (this.isStopped || this.handlers.length === 0) return;
    if (this.isBehind) {
      void this.catchUp();
      return;
    }
    const room = WINDOW - this.inFlight;
    if (room > 0 && this.queue.length > 0) this.send(this.queue.splice(0, room));
  }

  idle(): Promise<void> {
    if (this.isIdle) return Promise.resolve();
    this.flush();
    return new Promise((resolve) => this.idleWaiters.push(resolve));
  }

  ask<T>(what: 'states' | 'hashViews'): Promise<T> {
    const id = (this.asked += 1);
    return new Promise((resolve) => {
      this.answers.set(id, resolve as (value: unknown) => void);
      this.tell({ kind: 'ask', id, what });
    });
  }

  async stop(): Promise<void> {
    this.isStopped = true;
    this.wakeIdle();
    await this.worker.terminate();
  }

  private wants(event: AnyEvent): boolean {
    if (event.type === 'deadline.reached') return this.names.includes(event.data.handler);
    return this.handlers.length === 0 || this.types.has(event.type);
  }

  private receive(message: FromThread): void {
    if (message.kind === 'ready') {
      this.handlers = message.handlers;
      this.markReady();
      for (const handler of message.handlers) for (const type of handler.types) this.types.add(type);
      this.tell({ kind: 'restore', states: [...this.base.states], skips: [...this.base.skips] });
      this.queue = this.queue.filter((item) => item.only !== undefined || this.wants(item.event));
      this.flush();
      this.wakeIdle();
    } else if (message.kind === 'done') {
      this.inFlight -= message.count;
      this.ackedSeq = Math.max(this.ackedSeq, message.seq);
      this.oldest = this.inFlight + this.queue.length === 0 ? null : { postedAt: this.wall() };
      this.hooks.onOutputs(message.outputs.filter((output) => output.seq > this.base.silentUpTo));
      this.flush();
      this.wakeIdle();
    } else if (message.kind === 'answer') {
      this.answers.get(message.id)?.(message.value);
      this.answers.delete(message.id);
    } else this.broke(new Error(message.error));
  }

  private send(items: ThreadItem[]): void {
    const last = items[items.length - 1];
    if (!last) return;
    this.inFlight += items.length;
    this.sentSeq = Math.max(this.sentSeq, last.seq);
    this.tell({ kind: 'events', items });
  }

  /** Reads the stored log until there is nothing between it and what is posted now. */
  private async catchUp(): Promise<void> {
    if (this.isReading || this.inFlight >= WINDOW) return;
    this.isReading = true;
    try {
      const items: ThreadItem[] = [];
      let readTo = this.sentSeq;
      for await (const row of this.hooks.readLog(this.sentSeq)) {
        readTo = row.seq;
        if (this.wants(row.event)) items.push({ seq: row.seq, event: row.event });
        if (items.length >= CATCH_UP_PAGE) break;
      }
      if (this.isStopped) return;
      this.send(items);
      this.sentSeq = Math.max(this.sentSeq, readTo);
      if (this.sentSeq >= this.postedSeq) this.isBehind = false;
    } catch (error) {
      this.broke(error instanceof Error ? error : new Error(String(error)));
    } finally {
      this.isReading = false;
    }
    if (this.isBehind && this.inFlight < WINDOW) setImmediate(() => this.flush());
    this.wakeIdle();
  }

  private wakeIdle(): void {
    if (!this.isIdle && !this.isStopped) return;
    for (const resolve of this.idleWaiters.splice(0)) resolve();
  }

  private tell(message: ToThread): void {
    if (!this.isStopped) this.worker.postMessage(message);
  }

  private broke(error: Error): void {
    this.markBroken(error);
    if (!this.isStopped) this.hooks.onBroken(this, error);
  }
}

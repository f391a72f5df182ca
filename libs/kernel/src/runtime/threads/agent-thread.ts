import { Worker } from 'node:worker_threads';
import type { AnyEvent } from '@moon/events';
import type { LogRow } from '../../ports/event-store';
import {
  METRICS,
  MOST_AGENTS,
  PROGRESS,
  type AgentBase,
  type AgentModule,
  type FromThread,
  type RecordedSkip,
  type ThreadCut,
  type ThreadItem,
  type ThreadOutput,
  type ToThread,
} from './protocol';
import { waitedForProcessorMs } from './thread-priority';
import { ThreadFeed, type FeedLimits, type ReadLog } from './thread-feed';

export interface ThreadHooks {
  /** Where an agent starts; asked when the thread has built its agents. */
  baseOf(agent: string): AgentBase;
  skipsOf(agents: readonly string[]): RecordedSkip[];
  onOutputs(outputs: readonly ThreadOutput[]): void;
  onBroken(thread: AgentThread, error: Error): void;
  readLog: ReadLog;
}

export interface ThreadSettings {
  limits: FeedLimits;
  workerScript: string;
  wall: () => number;
}

/** What a thread is doing right now. */
export interface Busy {
  handler: string;
  key: string;
  seq: number;
  /** Since when, wall ms. */
  since: number;
}

/** An agent's own metrics (AGT-1): counts and wall time since its thread began, and how far it is behind now. */
export interface AgentMetrics {
  agent: string;
  handled: number;
  emitted: number;
  failed: number;
  busyMs: number;
  lagMs: number;
  queued: number;
}

/** One worker thread with its agents. */
export class AgentThread {
  /** Settles when the thread has built its agents, or could not. */
  readonly ready: Promise<void>;
  private handlers: ReadonlyArray<{ name: string; types: string[] }> = [];
  private readonly types = new Set<string>();
  private readonly keys: string[] = [];
  private readonly worker: Worker;
  private readonly feed: ThreadFeed;
  private readonly progress = new SharedArrayBuffer(
    (PROGRESS.length + METRICS.length * MOST_AGENTS) * Float64Array.BYTES_PER_ELEMENT,
  );
  private readonly shared = new Float64Array(this.progress);
  private readonly answers = new Map<number, (value: unknown) => void>();
  private asked = 0;
  private waiters: Array<{ seq: number; resolve: () => void }> = [];
  private isStopped = false;
  private threadId: number | null = null;
  private markReady: () => void = () => undefined;
  private markBroken: (error: Error) => void = () => undefined;

  constructor(
    readonly module: AgentModule,
    postedSeq: number,
    private readonly hooks: ThreadHooks,
    { limits, wall, workerScript }: ThreadSettings,
  ) {
    this.feed = new ThreadFeed(postedSeq, limits, hooks.readLog, wall);
    this.shared[PROGRESS.handler] = -1;
    this.ready = new Promise((resolve, reject) => {
      this.markReady = resolve;
      this.markBroken = reject;
    });
    this.ready.catch(() => undefined);
    this.worker = new Worker(workerScript, { workerData: { module, progress: this.progress } });
    this.worker.on('message', (message: FromThread) => {
      if (!this.isStopped) this.receive(message);
    });
    this.worker.on('error', (error) => this.broke(error));
    this.worker.on('exit', (code) =>
      this.broke(new Error(`The thread of ${this.names.join(', ')} ended with code ${code}.`)),
    );
  }

  get isReady(): boolean {
    return this.handlers.length > 0;
  }

  get names(): string[] {
    return this.isReady ? this.handlers.map((handler) => handler.name) : [...(this.module.only ?? [])];
  }

  /** Events that wait, or are being handled. */
  get queued(): number {
    return this.feed.length;
  }

  get lagMs(): number {
    return this.feed.lagMs;
  }

  /** Position up to which outputs have been taken over. */
  get acked(): number {
    return this.feed.acked;
  }

  get isIdle(): boolean {
    return this.isReady && this.feed.isEmpty;
  }

  /** The delivery that is under way; null when there is none. */
  get busy(): Busy | null {
    const handler = this.handlers[this.shared[PROGRESS.handler] ?? -1];
    if (!handler) return null;
    const key = this.keys[this.shared[PROGRESS.key] ?? -1] ?? '';
    return { handler: handler.name, key, seq: this.shared[PROGRESS.seq] ?? 0, since: this.shared[PROGRESS.since] ?? 0 };
  }

  /** How long the thread has waited for a processor since it began, wall ms. */
  get waitedMs(): number {
    return waitedForProcessorMs(this.threadId);
  }

  /** What each agent of this thread has done since the thread began. */
  get metrics(): AgentMetrics[] {
    return this.handlers.map(({ name }, index) => {
      const read = (field: number): number => this.shared[PROGRESS.length + index * METRICS.length + field] ?? 0;
      const [handled, emitted, failed, busyMs] = [METRICS.handled, METRICS.emitted, METRICS.failed, METRICS.busyMs].map(
        read,
      );
      const { lagMs, queued } = this;
      return {
        agent: name,
        handled: handled ?? 0,
        emitted: emitted ?? 0,
        failed: failed ?? 0,
        busyMs: busyMs ?? 0,
        lagMs,
        queued,
      };
    });
  }

  post(seq: number, event: AnyEvent): void {
    this.feed.passed(seq);
    if (this.wants(event)) this.feed.keep({ seq, event });
  }

  redeliver(item: ThreadItem): void {
    this.feed.keep(item);
  }

  /** An event that this thread was given and has not answered. */
  given(seq: number): ThreadItem | undefined {
    return this.feed.given(seq);
  }

  /** Sends what may be sent. */
  flush(): void {
    if (this.isStopped || !this.isReady) return;
    const items = this.feed.take();
    if (items) this.tell({ kind: 'events', items, upTo: this.feed.sent });
    else if (this.feed.isBehind) void this.readOn();
  }

  /** Resolves when everything that has been posted by now is answered, or the thread is stopped. */
  caughtUp(): Promise<void> {
    const seq = this.feed.posted;
    if (this.isStopped || this.hasAnswered(seq)) return Promise.resolve();
    this.flush();
    return new Promise((resolve) => this.waiters.push({ seq, resolve }));
  }

  /** The agents' states at the position that they have come to; null when the thread was stopped before it answered. */
  cut(): Promise<ThreadCut | null> {
    return this.ask<ThreadCut>('states');
  }

  hashViews(): Promise<Record<string, unknown> | null> {
    return this.ask<Record<string, unknown>>('hashViews');
  }

  /** Ends the thread, whatever it is doing. Nothing that it says after this call counts. */
  async stop(): Promise<void> {
    this.isStopped = true;
    this.wake();
    for (const answer of this.answers.values()) answer(null);
    this.answers.clear();
    await this.worker.terminate();
  }

  private async ask<T>(what: 'states' | 'hashViews'): Promise<T | null> {
    await this.ready.catch(() => undefined);
    if (this.isStopped || !this.isReady) return null;
    const id = (this.asked += 1);
    return new Promise((resolve) => {
      this.answers.set(id, resolve as (value: unknown) => void);
      this.tell({ kind: 'ask', id, what, upTo: this.feed.sent });
    });
  }

  private wants(event: AnyEvent): boolean {
    if (!this.isReady) return true;
    if (event.type === 'deadline.reached') return this.names.includes(event.data.handler);
    return this.types.has(event.type);
  }

  private receive(message: FromThread): void {
    switch (message.kind) {
      case 'ready':
        this.threadId = message.threadId;
        this.begin(message.handlers);
        break;
      case 'key':
        this.keys.push(message.key);
        return;
      case 'answer':
        this.answers.get(message.id)?.(message.value);
        this.answers.delete(message.id);
        return;
      case 'done':
        this.feed.answered(message.seq, message.count);
        this.hooks.onOutputs(message.outputs);
    }
    this.flush();
    this.wake();
  }

  private begin(handlers: ReadonlyArray<{ name: string; types: string[] }>): void {
    this.handlers = handlers;
    for (const handler of handlers) for (const type of handler.types) this.types.add(type);
    const bases = this.names.map((agent) => ({ agent, ...this.hooks.baseOf(agent) }));
    this.tell({ kind: 'start', bases, skips: this.hooks.skipsOf(this.names) });
    const isOwn = ({ replay, event }: ThreadItem): boolean =>
      replay ? this.names.includes(replay.data.handler) : this.wants(event);
    this.feed.start(Math.min(...bases.map(({ seq }) => seq)), isOwn);
    this.markReady();
  }

  private async readOn(): Promise<void> {
    try {
      const items = await this.feed.read((row) => this.itemOf(row));
      if (this.isStopped || items === null) return;
      if (items.length > 0) this.tell({ kind: 'events', items, upTo: this.feed.sent });
      this.wake();
      setImmediate(() => this.flush());
    } catch (error) {
      this.broke(error instanceof Error ? error : new Error(String(error)));
    }
  }

  private async itemOf({ seq, event }: LogRow): Promise<ThreadItem | null> {
    if (event.type === 'event.replayed' && this.names.includes(event.data.handler)) {
      for await (const original of this.hooks.readLog(event.data.replayedSeq - 1, 1)) {
        return replayItem(seq, event, original.event);
      }
    }
    return this.wants(event) ? { seq, event } : null;
  }

  private hasAnswered(seq: number): boolean {
    return this.isReady && this.feed.hasAnswered(seq);
  }

  private wake(): void {
    const woken = this.waiters.filter(({ seq }) => this.isStopped || this.hasAnswered(seq));
    if (woken.length === 0) return;
    this.waiters = this.waiters.filter((waiter) => !woken.includes(waiter));
    for (const { resolve } of woken) resolve();
  }

  private tell(message: ToThread): void {
    this.worker.postMessage(message);
  }

  private broke(error: Error): void {
    if (this.isStopped) return;
    this.markBroken(error);
    this.hooks.onBroken(this, error);
  }
}

/** The delivery of a dead letter; what follows from it belongs to the time of the replay, not to a warm-up. */
export function replayItem(seq: number, replay: NonNullable<ThreadItem['replay']>, original: AnyEvent): ThreadItem {
  return { seq, replay, event: { ...original, headers: replay.headers } };
}

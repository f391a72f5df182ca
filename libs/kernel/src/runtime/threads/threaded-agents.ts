import type { AnyEvent } from '@moon/events';
import type { HandlerState } from '../../core/handler-host';
import type { LogRow } from '../../ports/event-store';
import { AgentThread, type ThreadBase, type ThreadHooks } from './agent-thread';
import type { AgentThreads } from './agent-threads';
import type { AgentsStart } from '../recover';
import type { AgentModule, LaggingAgents, RecordedSkip, ThreadOutput } from './protocol';

/** A time-out that has just been noticed (AGT-2). */
export interface AgentTimeout {
  handler: string;
  seq: number;
  elapsedMs: number;
  /** How often this agent has timed out on this event, this time included. */
  attempts: number;
}

export interface ThreadedAgentsOptions {
  /** One entry a thread: the built-in agents together, a user's agents each in their own (rule 31). */
  modules: readonly AgentModule[];
  /** How long an agent may take for one event, wall ms; default 5 s (AGT-2). */
  timeoutMs?: number;
  /** Time-outs on the same event after which it becomes a dead letter. */
  maxTimeouts?: number;
  /** The stored log above a position, complete up to everything sequenced before the call. */
  readLog: (fromSeq: number) => AsyncIterable<LogRow>;
  onOutput: (output: ThreadOutput) => void;
  onTimeout: (timeout: AgentTimeout) => void;
  /** The agent gives up this event for good; returns after the skip has been taken as an input. */
  onSkip: (timeout: AgentTimeout) => Promise<RecordedSkip>;
  /** A thread died of itself; it is started again. */
  onCrash: (agents: readonly string[], error: Error) => void;
  wall?: () => number;
}

/** Restarts of one thread within a minute after which it stays down. */
const MAX_RESTARTS = 5;

/** The agents' threads: keeps them fed, watches their time, isolates an offender and restarts what died. */
export class ThreadedAgents implements AgentThreads {
  private threads: AgentThread[] = [];
  private base: ThreadBase = { seq: 0, states: [], skips: [], silentUpTo: 0 };
  private postedSeq = 0;
  private readonly timeouts = new Map<string, number>();
  private readonly skips: RecordedSkip[] = [];
  private readonly restarts: number[] = [];
  private readonly watchdog: NodeJS.Timeout;
  private readonly hooks: ThreadHooks;
  private readonly wall: () => number;

  constructor(private readonly options: ThreadedAgentsOptions) {
    this.wall = options.wall ?? Date.now;
    this.hooks = {
      onOutputs: (outputs) => outputs.forEach((output) => options.onOutput(output)),
      onBroken: (thread, error) => this.restart(thread, error),
      readLog: options.readLog,
    };
    this.watchdog = setInterval(() => void this.watch(), Math.max(50, this.timeoutMs / 10));
    this.watchdog.unref();
  }

  private get timeoutMs(): number {
    return this.options.timeoutMs ?? 5_000;
  }

  /** Starts every thread from a position of the log; to be called once. */
  start({ seq, states, laggards, skips }: AgentsStart): void {
    this.base = { seq, states, skips, silentUpTo: 0 };
    this.postedSeq = seq;
    this.skips.push(...skips);
    this.threads = this.options.modules.map((module) => {
      const laggard = laggards.find(({ names }) => module.only?.every((name) => names.includes(name)) ?? false);
      return this.open(module, laggard ? { ...laggard, skips, silentUpTo: 0 } : this.base);
    });
  }

  /**
   * The agents' states for a checkpoint at `seq`: of idle threads as they are, of the others as they were when their
   * thread began. Idle threads start again from here, should they have to.
   */
  async checkpoint(seq: number): Promise<{ states: HandlerState[]; laggards: LaggingAgents[] }> {
    const idle = this.threads.filter((thread) => thread.isIdle);
    const states = (await Promise.all(idle.map((thread) => thread.ask<HandlerState[]>('states')))).flat();
    const laggards = this.threads
      .filter((thread) => !idle.includes(thread))
      .map((thread) => ({ names: thread.names, ...thread.laggingAt }));
    if (laggards.length === 0) {
      this.base = { seq, states, skips: [], silentUpTo: 0 };
      this.skips.length = 0;
    }
    return { states, laggards };
  }

  /** Names of all agents, when every thread has built its own. @throws Error when a thread does not come up */
  async ready(): Promise<string[]> {
    await Promise.all(this.threads.map((thread) => thread.ready));
    return this.threads.flatMap((thread) => thread.names);
  }

  post(seq: number, event: AnyEvent): void {
    this.postedSeq = seq;
    for (const thread of this.threads) thread.post(seq, event);
  }

  redeliver(seq: number, record: Extract<AnyEvent, { type: 'event.replayed' }>, original: AnyEvent): void {
    const { handler, handlerKey } = record.data;
    const event = { ...original, headers: record.headers };
    this.threads.find((thread) => thread.names.includes(handler))?.redeliver(seq, { handler, key: handlerKey }, event);
  }

  flush(): void {
    for (const thread of this.threads) thread.flush();
  }

  async idle(withinMs: number): Promise<boolean> {
    const all = Promise.all(this.threads.map((thread) => thread.idle())).then(() => true);
    const late = new Promise<false>((resolve) => setTimeout(() => resolve(false), withinMs).unref());
    return Promise.race([all, late]);
  }

  async hashViews(): Promise<Record<string, unknown>> {
    const views = await Promise.all(this.threads.map((thread) => thread.ask<Record<string, unknown>>('hashViews')));
    return Object.assign({}, ...views) as Record<string, unknown>;
  }

  /** Lag and queue of every agent, for `agent.lagging` and the summary. */
  lags(): Array<{ agent: string; lagMs: number; queued: number }> {
    return this.threads.flatMap((thread) =>
      thread.names.map((agent) => ({ agent, lagMs: thread.lagMs, queued: thread.queued })),
    );
  }

  async stop(): Promise<void> {
    clearInterval(this.watchdog);
    await Promise.all(this.threads.map((thread) => thread.stop()));
    this.threads = [];
  }

  private open(module: AgentModule, base: ThreadBase): AgentThread {
    return new AgentThread(module, base, this.postedSeq, this.hooks, this.wall);
  }

  private async watch(): Promise<void> {
    for (const thread of this.threads) {
      const { busy } = thread;
      if (!busy) continue;
      const elapsedMs = this.wall() - busy.since;
      if (elapsedMs > this.timeoutMs) await this.timedOut(thread, busy.handler, busy.seq, elapsedMs);
    }
  }

  /** Ends a thread that is stuck: the offender goes on in a thread of its own, the others without it. */
  private async timedOut(thread: AgentThread, handler: string, seq: number, elapsedMs: number): Promise<void> {
    const key = `${handler}\u0000${seq}`;
    const attempts = (this.timeouts.get(key) ?? 0) + 1;
    this.timeouts.set(key, attempts);
    const timeout = { handler, seq, elapsedMs, attempts };
    const others = thread.names.filter((name) => name !== handler);
    this.threads = this.threads.filter((other) => other !== thread);
    await thread.stop();
    this.options.onTimeout(timeout);
    if (attempts >= (this.options.maxTimeouts ?? 3)) {
      this.timeouts.delete(key);
      this.skips.push(await this.options.onSkip(timeout));
    }
    const base = { ...this.base, skips: [...this.skips], silentUpTo: thread.acked };
    this.threads.push(this.open({ ...thread.module, only: [handler] }, base));
    if (others.length > 0) this.threads.push(this.open({ ...thread.module, only: others }, base));
    this.flush();
  }

  private restart(thread: AgentThread, error: Error): void {
    this.options.onCrash(thread.names, error);
    this.threads = this.threads.filter((other) => other !== thread);
    void thread.stop();
    const now = this.wall();
    this.restarts.push(now);
    if (this.restarts.filter((at) => now - at < 60_000).length > MAX_RESTARTS) return;
    this.threads.push(this.open(thread.module, { ...this.base, skips: [...this.skips], silentUpTo: thread.acked }));
    this.flush();
  }
}

import { join } from 'node:path';
import type { AnyEvent } from '@moon/events';
import type { AgentsStart } from '../recover';
import { AgentBases } from './agent-bases';
import {
  AgentThread,
  replayItem,
  type AgentMetrics,
  type Busy,
  type ThreadHooks,
  type ThreadSettings,
} from './agent-thread';
import type { AgentThreads, AgentsCut } from './agent-threads';
import type { AgentModule, ThreadItem, ThreadOutput } from './protocol';
import { RestingAgents } from './resting-agents';
import type { FeedLimits, ReadLog } from './thread-feed';

/** An agent that did not come back from an event: it took too long, or its thread died over it. */
export interface AgentOffence {
  reason: 'timeout' | 'error';
  agent: string;
  key: string;
  item: ThreadItem;
  /** Wall ms. */
  elapsedMs: number;
  /** How often this has happened with this event, this time included. */
  attempts: number;
  error: string;
}

export interface ThreadedAgentsOptions {
  /** One entry a thread: the built-in agents together, a user's agents each in their own (rule 31). */
  modules: readonly AgentModule[];
  /** How long an agent may take for one event, wall ms; default 5 s (AGT-2). */
  timeoutMs?: number;
  /** Offences on the same event after which it becomes a dead letter. */
  maxAttempts?: number;
  /** How long an agent rests after its first offence before it gets another thread, wall ms; doubled with each further one. */
  restMs?: number;
  /** An agent this far behind is lagging (AGT-6), wall ms. */
  laggingMs?: number;
  /** A lagging agent is reported again after this time, wall ms. */
  laggingEveryMs?: number;
  limits?: Partial<FeedLimits>;
  /** The compiled entry of a thread; default: the one beside this module. */
  workerScript?: string;
  readLog: ReadLog;
  onOutput: (output: ThreadOutput) => void;
  onOffence: (offence: AgentOffence) => void;
  /** The agent gives this delivery up for good: takes the record of it as an input. */
  onSkip: (offence: AgentOffence) => void;
  onLagging: (lag: { agent: string; lagMs: number; queued: number }) => void;
  /** A thread died; unless `isGivenUp` it is started again. */
  onCrash: (agents: readonly string[], error: Error, isGivenUp: boolean) => void;
  wall?: () => number;
}

const DEFAULTS = {
  timeoutMs: 5_000,
  maxAttempts: 3,
  restMs: 250,
  laggingMs: 1_000,
  laggingEveryMs: 10_000,
  workerScript: join(__dirname, 'agent.worker.js'),
};
const LIMITS: FeedLimits = { inFlight: 2_048, queued: 50_000 };
/** Restarts of the same agents within a minute, without an event to blame, after which they stay down. */
const MAX_RESTARTS = 5;
/** An agent that is short of processor time has this many times as long for an event. */
const STARVED_TIMES = 6;
const WATCH_AT_LEAST_MS = 10;
const WATCH_AT_MOST_MS = 100;

/** A delivery that was under way when the watchdog looked, and how long its thread had waited for a processor by then. */
type Sighting = Busy & { waitedMs: number };

/** The agents' threads: keeps them fed, watches their time, isolates an offender and restarts what died. */
export class ThreadedAgents implements AgentThreads {
  private readonly options: ThreadedAgentsOptions & typeof DEFAULTS;
  private readonly settings: ThreadSettings;
  private readonly wall: () => number;
  private threads: AgentThread[] = [];
  private bases = new AgentBases({ seq: 0, endSeq: 0, bases: {}, skips: [] });
  private postedSeq = 0;
  private readonly offences = new Map<string, number>();
  private readonly restarts = new Map<string, number[]>();
  private readonly resting: RestingAgents;
  private readonly reported = new Map<string, number>();
  private lastBusy = new Map<AgentThread, Sighting>();
  private watchdog: NodeJS.Timeout | null = null;

  constructor(options: ThreadedAgentsOptions) {
    this.options = { ...DEFAULTS, ...options };
    this.wall = options.wall ?? Date.now;
    this.resting = new RestingAgents(this.options.restMs, this.wall);
    const { workerScript } = this.options;
    this.settings = { limits: { ...LIMITS, ...options.limits }, workerScript, wall: this.wall };
  }

  /** Starts every thread from a position of the log; to be called once. */
  start(start: AgentsStart): void {
    this.bases = new AgentBases(start);
    this.postedSeq = start.seq;
    for (const module of this.options.modules) this.open(module);
    const everyMs = Math.min(WATCH_AT_MOST_MS, Math.max(WATCH_AT_LEAST_MS, this.options.timeoutMs / 10));
    this.watchdog = setInterval(() => this.watch(), everyMs);
    this.watchdog.unref();
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

  redeliver(seq: number, record: NonNullable<ThreadItem['replay']>, original: AnyEvent): void {
    const item = replayItem(seq, record, original);
    for (const thread of this.threads) {
      if (!thread.isReady || thread.names.includes(record.data.handler)) thread.redeliver(item);
    }
  }

  flush(): void {
    for (const thread of this.threads) thread.flush();
  }

  async idle(withinMs: number): Promise<boolean> {
    const end = this.wall() + withinMs;
    while (this.resting.list.length > 0 || !this.threads.every((thread) => thread.isIdle)) {
      const leftMs = end - this.wall();
      if (leftMs <= 0) return false;
      if (this.resting.list.length > 0) await pause(Math.min(leftMs, WATCH_AT_LEAST_MS));
      await within(leftMs, Promise.all(this.threads.map((thread) => thread.caughtUp())));
    }
    return true;
  }

  async heard(withinMs: number): Promise<void> {
    this.flush();
    const prompt = this.threads.filter(({ lagMs }) => lagMs < withinMs);
    await within(withinMs, Promise.all(prompt.map((thread) => thread.caughtUp())));
  }

  /**
   * Asks every thread where its agents stand. One that does not answer in time is busy with an event: its agents keep
   * the states that they were last known by.
   */
  async refresh(withinMs: number): Promise<void> {
    await within(withinMs, Promise.all(this.threads.map((thread) => this.bases.refresh(thread))));
  }

  cut(): AgentsCut {
    for (const thread of this.threads) this.bases.silence(thread);
    return this.bases.cut();
  }

  /** What the state hash sees of the agents (rule 6). */
  async hashViews(): Promise<Record<string, unknown>> {
    const views = await Promise.all(this.threads.map((thread) => thread.hashViews()));
    return Object.assign({}, ...views) as Record<string, unknown>;
  }

  /** Lag and queue of every agent: the metric behind `agent.lagging`. */
  lags(): Array<{ agent: string; lagMs: number; queued: number }> {
    const now = this.wall();
    const resting = this.resting.list.map(({ agent, since }) => {
      return { agent, lagMs: now - since, queued: this.postedSeq - this.bases.of(agent).seq };
    });
    return [
      ...this.threads.flatMap(({ names, lagMs, queued }) => names.map((agent) => ({ agent, lagMs, queued }))),
      ...resting,
    ];
  }

  /** What every agent has done and how far it is behind (AGT-1). */
  metrics(): AgentMetrics[] {
    return this.threads.flatMap((thread) => thread.metrics);
  }

  /** Agents that share a thread, thread by thread; one that rests is alone. */
  layout(): string[][] {
    return [...this.threads.map((thread) => thread.names), ...this.resting.list.map(({ agent }) => [agent])];
  }

  async stop(): Promise<void> {
    if (this.watchdog) clearInterval(this.watchdog);
    this.resting.stop();
    await Promise.all(this.threads.splice(0).map((thread) => thread.stop()));
  }

  private open(module: AgentModule): void {
    const hooks: ThreadHooks = {
      baseOf: (agent) => this.bases.of(agent),
      skipsOf: (agents) => this.bases.skipsOf(agents),
      onOutputs: (outputs) => outputs.forEach((output) => this.take(output)),
      onBroken: (thread, error) => this.crashed(thread, error),
      readLog: this.options.readLog,
    };
    this.threads.push(new AgentThread(module, this.postedSeq, hooks, this.settings));
  }

  private take(output: ThreadOutput): void {
    this.bases.noteSkips(output);
    this.options.onOutput(output);
  }

  private watch(): void {
    const seen = new Map<AgentThread, Sighting>();
    const now = this.wall();
    for (const thread of [...this.threads]) {
      this.watchLag(thread, now);
      const { busy } = thread;
      if (!busy) continue;
      const before = this.lastBusy.get(thread);
      // Seen twice: what is read while the thread writes may be torn.
      const isSame = before?.seq === busy.seq && before.handler === busy.handler && before.since === busy.since;
      if (isSame && this.isOverTime(thread, before, now)) this.timedOut(thread, busy, now - busy.since);
      else seen.set(thread, isSame ? before : { ...busy, waitedMs: thread.waitedMs });
    }
    this.lastBusy = seen;
  }

  /** Time that the thread waited for a processor is not its agent's; but no event is waited for without end. */
  private isOverTime(thread: AgentThread, { since, waitedMs }: Sighting, now: number): boolean {
    const { timeoutMs } = this.options;
    if (now - since <= timeoutMs) return false;
    return now - since > timeoutMs * STARVED_TIMES || now - since - (thread.waitedMs - waitedMs) > timeoutMs;
  }

  private watchLag(thread: AgentThread, now: number): void {
    const { lagMs, queued } = thread;
    if (lagMs <= this.options.laggingMs) return;
    for (const agent of thread.names) {
      const last = this.reported.get(agent);
      if (last !== undefined && now - last < this.options.laggingEveryMs) continue;
      this.reported.set(agent, now);
      this.options.onLagging({ agent, lagMs, queued });
    }
  }

  private timedOut(thread: AgentThread, busy: Busy, elapsedMs: number): void {
    const item = thread.given(busy.seq);
    if (!item) return;
    this.isolate(thread, {
      reason: 'timeout',
      busy,
      item,
      elapsedMs,
      error: `took longer than ${this.options.timeoutMs} ms`,
    });
  }

  /** A thread that dies over an event is that event's offence; one that dies of itself is started again, a few times. */
  private crashed(thread: AgentThread, error: Error): void {
    const { busy } = thread;
    const item = busy ? thread.given(busy.seq) : undefined;
    if (busy && item) {
      this.options.onCrash(thread.names, error, false);
      this.isolate(thread, { reason: 'error', busy, item, elapsedMs: this.wall() - busy.since, error: error.message });
      return;
    }
    this.close(thread);
    const isGivenUp = !thread.isReady || !this.mayRestart(thread);
    this.options.onCrash(thread.names, error, isGivenUp);
    if (!isGivenUp) this.open(thread.module);
  }

  private mayRestart(thread: AgentThread): boolean {
    const now = this.wall();
    const name = thread.names.join();
    const recent = [...(this.restarts.get(name) ?? []).filter((at) => now - at < 60_000), now];
    this.restarts.set(name, recent);
    return recent.length <= MAX_RESTARTS;
  }

  /** Ends a thread over one of its agents, which goes on, after a rest, in a thread of its own; the others go on without it. */
  private isolate(
    thread: AgentThread,
    {
      reason,
      busy,
      item,
      elapsedMs,
      error,
    }: { reason: AgentOffence['reason']; busy: Busy; item: ThreadItem; elapsedMs: number; error: string },
  ): void {
    this.close(thread);
    const { handler: agent, key, seq } = busy;
    const name = `${agent}\u0000${key}\u0000${seq}`;
    const attempts = (this.offences.get(name) ?? 0) + 1;
    this.offences.set(name, attempts);
    const offence: AgentOffence = { reason, agent, key, item, elapsedMs, attempts, error };
    this.options.onOffence(offence);
    if (attempts >= this.options.maxAttempts) {
      this.offences.delete(name);
      this.bases.skip(agent, key, seq);
      this.options.onSkip(offence);
    }
    const others = thread.names.filter((other) => other !== agent);
    this.resting.rest(agent, () => this.open({ ...thread.module, only: [agent], givesWay: true }));
    if (others.length > 0) this.open({ ...thread.module, only: others });
  }

  /** From here on nothing that the thread says counts; what it made until now has been taken over. */
  private close(thread: AgentThread): void {
    this.bases.silence(thread);
    this.threads = this.threads.filter((other) => other !== thread);
    void thread.stop();
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** What `work` gives, or null when it takes longer. */
async function within<T>(ms: number, work: Promise<T>): Promise<T | null> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

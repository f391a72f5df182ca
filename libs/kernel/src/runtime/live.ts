import type { AnyEvent } from '@moon/events';
import { deadlineEvent } from '../core/deadline-table';
import type { Engine } from '../core/engine';
import type { OpenRequest } from '../core/effect-tracker';
import type { LogSink } from '../log/log-writer';
import type { Clock } from '../ports/clock';
import type { TimedInput } from '../ports/effect';
import { isMarketEvent, type VenueLink } from '../venue-link/venue-link';
import type { AgentThreads } from './threads/agent-threads';

export interface LiveOptions {
  engine: Engine;
  log: LogSink;
  clock: Clock;
  headers: AnyEvent['headers'];
  venue?: VenueLink;
  agents?: AgentThreads;
  /** Called once when an adapter or the venue broke in a way that nothing handles. */
  onFatal: (error: Error) => void;
  /** Wall clock, ms; only bounds how long one turn of the loop may take. */
  wall?: () => number;
}

/** One turn of the loop handles events for this long before it lets timers and sockets in, ms. */
const TURN_MS = 8;
/** How long a checkpoint or a stop waits for agents that are behind, wall ms. */
const SETTLE_MS = 1_000;

/**
 * Drives inputs as they arrive (rule 1: arrival order is the recorded order). Deadlines fire by the clock, effects run
 * side by side with the handlers, agents live in threads of their own.
 */
export class LiveRuntime {
  private isPumping = false;
  private isPumpScheduled = false;
  private isHolding = false;
  private isStopped = false;
  private held: AnyEvent[] = [];
  private readonly chains = new Map<string, Promise<void>>();
  private readonly running = new Set<Promise<void>>();
  private readonly timers = new Set<() => void>();
  private cancelDeadline: (() => void) | null = null;
  private cancelVenue: (() => void) | null = null;

  constructor(private readonly options: LiveOptions) {}

  /** Takes an input. During a checkpoint it waits; after `stop` it is refused with false. */
  submit(event: AnyEvent): boolean {
    if (this.isStopped) return false;
    if (this.isHolding) {
      this.held.push(event);
      return true;
    }
    this.options.engine.input(event);
    if (isMarketEvent(event)) this.toVenue(event);
    this.pump();
    return true;
  }

  /** Events that wait to be handled on the main thread. */
  get queued(): number {
    return this.options.engine.queued + this.held.length;
  }

  /** To be wired to the engine's `onRequest`. */
  request(request: OpenRequest): void {
    this.perform(request, false);
  }

  /** Continues after a restart, or starts: takes the cut-off tail, finishes open requests, fires what fell due meanwhile. */
  start(inputs: readonly AnyEvent[]): void {
    for (const event of inputs) this.options.engine.input(event);
    for (const request of this.options.engine.effects.unsettled()) this.perform(request, true);
    this.pump();
    this.armVenue();
  }

  /** Handles everything that is under way, with inputs held back; then calls `cut` and goes on. Agents that stay behind are not waited for. */
  async quiesce<T>(cut: () => Promise<T>): Promise<T> {
    this.isHolding = true;
    try {
      await this.settle();
      return await cut();
    } finally {
      this.release();
    }
  }

  /** Refuses further inputs, handles what is under way (waiting for effects at most `graceMs`), and stores the log. */
  async stop(graceMs = 5_000): Promise<void> {
    await this.settle();
    await Promise.race([Promise.all(this.running), new Promise((resolve) => setTimeout(resolve, graceMs).unref())]);
    this.release();
    await this.settle();
    this.isStopped = true;
    this.cancelDeadline?.();
    this.cancelVenue?.();
    for (const cancel of this.timers) cancel();
    await this.options.log.durable(this.options.engine.lastSeq);
  }

  private release(): void {
    this.isHolding = false;
    for (const event of this.held.splice(0)) this.submit(event);
    this.pump();
  }

  private async settle(): Promise<void> {
    const { engine, agents } = this.options;
    for (;;) {
      engine.drain();
      agents?.flush();
      if (agents && !(await agents.idle(SETTLE_MS))) return;
      if (engine.queued === 0) return;
    }
  }

  private pump(): void {
    if (this.isPumping) return;
    this.isPumping = true;
    this.isPumpScheduled = false;
    const { engine, agents } = this.options;
    try {
      engine.drain(TURN_MS, this.options.wall ?? Date.now);
      if (engine.queued === 0) this.fireDeadlines();
      agents?.flush();
    } catch (thrown) {
      this.fail(thrown);
      return;
    } finally {
      this.isPumping = false;
    }
    if (engine.queued > 0) this.schedulePump();
    else this.armDeadline();
  }

  private schedulePump(): void {
    if (this.isPumpScheduled || this.isStopped) return;
    this.isPumpScheduled = true;
    setImmediate(() => this.pump());
  }

  /** To be called when agents of other threads have put events into the queue. */
  wake(): void {
    this.schedulePump();
  }

  private fireDeadlines(): void {
    const { engine, clock, headers } = this.options;
    if (this.isHolding || this.isStopped) return;
    const now = clock.now();
    for (let next = engine.deadlines.next(); next && next.dueAt <= now; next = engine.deadlines.next()) {
      engine.input(deadlineEvent(next, headers));
      engine.drain();
    }
  }

  private armDeadline(): void {
    this.cancelDeadline?.();
    this.cancelDeadline = null;
    const next = this.options.engine.deadlines.next();
    if (next && !this.isStopped) this.cancelDeadline = this.options.clock.at(next.dueAt, () => this.pump());
  }

  private toVenue(event: AnyEvent): void {
    const { venue } = this.options;
    if (!venue) return;
    this.takeReports(venue.market(event));
  }

  private takeReports(reports: AnyEvent[] | Promise<AnyEvent[]>): void {
    if (reports instanceof Promise) {
      this.track(reports.then((events) => this.takeReports(events)));
      return;
    }
    for (const report of reports) this.submit(report);
    if (!this.options.venue?.isRemote) this.armVenue();
  }

  /** Wakes the venue when something of its own falls due: a latency, an expiry, a liquidation's second part. */
  private armVenue(): void {
    const { venue } = this.options;
    if (!venue || this.isStopped) return;
    const due = venue.nextDueAt();
    if (due instanceof Promise) this.track(due.then((at) => this.armVenueAt(at)));
    else this.armVenueAt(due);
  }

  private armVenueAt(dueAt: number | null): void {
    const { venue, clock } = this.options;
    this.cancelVenue?.();
    this.cancelVenue = null;
    if (dueAt === null || !venue || this.isStopped) return;
    this.cancelVenue = clock.at(dueAt, () => this.takeReports(venue.advanceTo(clock.now())));
  }

  private perform(request: OpenRequest, recovering: boolean): void {
    const adapter = this.options.engine.effects.adapter(request.adapter);
    const before =
      adapter.concurrency === 'ordered' ? (this.chains.get(adapter.name) ?? Promise.resolve()) : Promise.resolve();
    const work = before.then(async () => {
      if (!adapter.isPure) await this.options.log.durable(request.seq);
      const now = this.options.clock.now();
      for (const result of await adapter.perform(request.request, { now, recovering })) this.takeLater(result);
      this.armVenue();
    });
    if (adapter.concurrency === 'ordered')
      this.chains.set(
        adapter.name,
        work.catch(() => undefined),
      );
    this.track(work);
  }

  private takeLater({ event, availableAt }: TimedInput): void {
    if (availableAt <= this.options.clock.now()) {
      this.submit(event);
      return;
    }
    const cancel = this.options.clock.at(availableAt, () => {
      this.timers.delete(cancel);
      this.submit(event);
    });
    this.timers.add(cancel);
  }

  private track(work: Promise<void>): void {
    const tracked = work.catch((thrown: unknown) => this.fail(thrown)).finally(() => this.running.delete(tracked));
    this.running.add(tracked);
  }

  private fail(thrown: unknown): void {
    this.isStopped = true;
    this.options.onFatal(thrown instanceof Error ? thrown : new Error(String(thrown)));
  }
}

import type { AnyEvent } from '@moon/events';
import { deadlineEvent, type Deadline } from '../core/deadline-table';
import type { Engine } from '../core/engine';
import type { OpenRequest } from '../core/effect-tracker';
import type { LogSink } from '../ports/log-sink';
import type { Clock } from '../ports/clock';
import type { TimedInput } from '../ports/effect';
import { VenueTimeout, VenueUnreachable } from '../ports/venue';
import { isMarketEvent, type VenueLink } from '../venue-link/venue-link';
import { Alarm } from './alarm';
import { UrgentWaits, type UrgentOptions } from './urgent-waits';
import type { AgentThreads } from './threads/agent-threads';

export interface LiveOptions extends Pick<UrgentOptions, 'urgentMs' | 'onNotSecured'> {
  engine: Engine;
  log: LogSink;
  clock: Clock;
  headers: AnyEvent['headers'];
  venue?: VenueLink;
  agents?: AgentThreads;
  /**
   * Resolves when the inputs have been taken that were there at the call; default: those of sockets of this process, hence a
   * turn later. A deadline that is not protective waits for it, whoever stops does not.
   */
  heard?: () => Promise<void>;
  /** Called whenever the venue did not answer a call for market data or time. */
  onVenueSilent?: (error: Error) => void;
  /** Called once when an adapter or the venue broke in a way that nothing handles. */
  onFatal: (error: Error) => void;
  /** Wall clock, ms; only bounds how long one turn of the loop may take. */
  wall?: () => number;
  /** One turn of the loop handles events for this long before it lets timers and sockets in, ms; default 8. */
  turnMs?: number;
  /** What becomes of an input of the process itself before it is taken: see `EmittedVersions.settle`. */
  settle?: (event: AnyEvent) => AnyEvent;
}

const TURN_MS = 8;
/** How long a deadline that is not protective waits for agents that still have events, wall ms. */
const PATIENCE_MS = 100;
/** How long `settled` waits for agents that are behind before it looks again, wall ms. */
const LOOK_MS = 200;

/**
 * Drives inputs as they arrive (rule 1: arrival order is the recorded order). Deadlines fire by the clock, feed or no
 * feed; effects run beside the handlers, each after its request is stored; agents live in threads of their own.
 */
export class LiveRuntime {
  private isPumping = false;
  private isTurnScheduled = false;
  private isStarted = false;
  private isStopped = false;
  /** Effects and calls of the venue that are under way. */
  private readonly running = new Set<Promise<void>>();
  private readonly chains = new Map<string, Promise<void>>();
  /** Results that an adapter gave for a later time. */
  private readonly timers = new Set<() => void>();
  private readonly deadlines: Alarm;
  private readonly venue: Alarm;
  private readonly urgent: UrgentWaits;
  /** Deadlines due by `dueAt` fire once everything up to `afterSeq` has been dispatched; it is known when all were heard. */
  private patient: { dueAt: number; afterSeq: number | null } | null = null;

  constructor(private readonly options: LiveOptions) {
    this.deadlines = new Alarm(options.clock, () => this.deadlineDue());
    this.venue = new Alarm(options.clock, () => this.venueDue());
    this.urgent = new UrgentWaits(options);
  }

  /** Takes an input; before `start` it waits, after `stop` it is refused with false. */
  submit(event: AnyEvent): boolean {
    if (this.isStopped) return false;
    try {
      const isNew = this.enter(event);
      if (isNew && isMarketEvent(event)) this.takeReports(this.options.venue?.market(event) ?? []);
      this.pump();
    } catch (thrown) {
      this.fail(thrown);
    }
    return !this.isStopped;
  }

  /** Events that wait to be handled on this thread. */
  get queued(): number {
    return this.options.engine.queued;
  }

  /** To be wired to the engine's `onRequest`. */
  request(request: OpenRequest): void {
    if (!this.isStopped) this.perform(request, false);
  }

  /** Continues after a restart, or starts: takes the cut-off tail, finishes open requests; what fell due meanwhile fires. */
  start(inputs: readonly AnyEvent[]): void {
    this.isStarted = true;
    for (const event of inputs) this.own(event);
    for (const request of this.options.engine.effects.unsettled()) this.perform(request, true);
    this.pump();
    this.armVenue();
  }

  /** To be called when agents of other threads have put events into the queue. */
  wake(): void {
    this.scheduleTurn();
  }

  /** Handles everything that is in the queue now: then the engine is at one position of the log, ready for a checkpoint. */
  drain(): void {
    this.options.engine.drain();
    this.pump();
  }

  /**
   * Waits until nothing is under way: queue, agents and effects.
   *
   * @param withinMs wall time after which it goes on all the same
   * @returns false when the time was up
   */
  async settled(withinMs: number): Promise<boolean> {
    const wall = this.options.wall ?? Date.now;
    const { engine, agents } = this.options;
    for (const end = wall() + withinMs; ;) {
      this.drain();
      const areAgentsIdle = (await agents?.idle(Math.min(LOOK_MS, Math.max(1, end - wall())))) ?? true;
      if (this.running.size > 0) await Promise.race([...this.running, pause(LOOK_MS)]);
      if (areAgentsIdle && engine.queued === 0 && this.running.size === 0) return true;
      if (wall() >= end) return false;
    }
  }

  /** Handles what is under way (waiting for effects and agents at most `graceMs`), refuses what comes later, and stores the log. */
  async stop(graceMs = 5_000): Promise<void> {
    await this.settled(graceMs);
    this.isStopped = true;
    this.deadlines.off();
    this.venue.off();
    for (const cancel of this.timers) cancel();
    this.options.engine.drain();
    await this.options.log.durable(this.options.engine.lastSeq);
  }

  /** From now on nothing is done any more: whatever waits for its turn does not leave. */
  abandon(): void {
    this.isStopped = true;
  }

  private pump(): void {
    if (this.isPumping || this.isStopped || !this.isStarted) return;
    const { engine } = this.options;
    this.isPumping = true;
    try {
      engine.drainFor(this.options.turnMs ?? TURN_MS, this.options.wall ?? Date.now);
      this.firePatient();
    } finally {
      this.isPumping = false;
    }
    if (engine.queued > 0 || this.options.agents) this.scheduleTurn();
    this.armDeadlines();
  }

  /** The next turn comes when timers and sockets had theirs; until then events for the agents' threads gather to a batch. */
  private scheduleTurn(): void {
    if (this.isTurnScheduled || this.isStopped) return;
    this.isTurnScheduled = true;
    setImmediate(() => {
      this.isTurnScheduled = false;
      if (this.isStopped) return;
      this.options.agents?.flush();
      if (this.queued > 0) this.guard(() => this.pump());
    });
  }

  /**
   * A deadline has fallen due. Protective ones (of portfolios: force close, order expiry) are taken at once; the others
   * first let the inputs be consumed that were there by now (rule 23): those that a socket, a thread or a broker still holds,
   * and those in the queue.
   */
  private deadlineDue(): void {
    const { engine, clock } = this.options;
    const dueAt = clock.now();
    this.guard(() => {
      for (const deadline of engine.deadlines.due(dueAt)) if (this.isProtective(deadline)) this.fire(deadline);
      this.pump();
    });
    if (this.patient !== null || engine.deadlines.due(dueAt).length === 0) return;
    const patient = { dueAt, afterSeq: null as number | null };
    this.patient = patient;
    const heard = this.heard().then(() => {
      patient.afterSeq = engine.lastSeq;
      this.guard(() => this.pump());
    });
    // Waiting for a broker is nothing that has begun: whoever takes over finds the deadline open.
    if (this.options.heard) heard.catch((thrown: unknown) => this.fail(thrown));
    else this.track(heard);
  }

  /**
   * Resolves when sockets, threads and brokers have handed over what they held: a turn later, and agents that keep up have
   * answered.
   */
  private async heard(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    await this.options.heard?.();
    await this.options.agents?.heard(PATIENCE_MS);
  }

  private firePatient(): void {
    const { engine } = this.options;
    if (this.patient === null || this.patient.afterSeq === null) return;
    if (engine.queued > 0 && engine.dispatchedSeq < this.patient.afterSeq) return;
    const { dueAt } = this.patient;
    this.patient = null;
    for (const deadline of engine.deadlines.due(dueAt)) this.fire(deadline);
    engine.drainFor(this.options.turnMs ?? TURN_MS, this.options.wall ?? Date.now);
  }

  private armDeadlines(): void {
    const { deadlines } = this.options.engine;
    const next = deadlines.next();
    const isAwaited = this.patient !== null && next !== null && next.dueAt <= this.patient.dueAt;
    this.deadlines.set(isAwaited ? deadlines.dueAfter(this.patient!.dueAt) : (next?.dueAt ?? null));
  }

  private fire(deadline: Deadline): void {
    this.options.engine.deadlines.fire(deadline);
    this.own(deadlineEvent(deadline, this.options.headers));
  }

  private isProtective({ handler }: Deadline): boolean {
    const { host } = this.options.engine;
    return host.has(handler) && host.handler(handler).partitionedBy === 'portfolio';
  }

  private takeReports(reports: AnyEvent[] | Promise<AnyEvent[]>): void {
    if (reports instanceof Promise) {
      this.track(reports.then((events) => this.takeReports(events)));
      return;
    }
    for (const report of reports) this.own(report);
    if (reports.length > 0) this.pump();
    if (reports.length > 0 || !this.options.venue?.isRemote) this.armVenue();
  }

  private own(event: AnyEvent): void {
    this.enter(this.settle(event));
  }

  private settle(event: AnyEvent): AnyEvent {
    return this.options.settle?.(event) ?? event;
  }

  /** Reports of a venue enter in its order, whichever call brought them; one that comes again is known by its id. */
  private enter(event: AnyEvent): boolean {
    const { engine, venue } = this.options;
    for (const earlier of venue?.before(event) ?? []) engine.input(this.settle(earlier));
    return engine.input(event);
  }

  /** Wakes the venue when something of its own falls due: a latency, an expiry, a liquidation's second part. */
  private armVenue(): void {
    const due = this.isStopped ? null : (this.options.venue?.nextDueAt() ?? null);
    if (due instanceof Promise) this.track(due.then((at) => this.venue.set(this.isStopped ? null : at)));
    else this.venue.set(due);
  }

  private venueDue(): void {
    const { venue, clock } = this.options;
    if (!venue) return;
    this.guard(() => {
      const reports = venue.advanceTo(clock.now());
      this.takeReports(reports);
      if (reports instanceof Promise) this.track(reports.then(() => this.armVenue()));
    });
  }

  /** Performs a request when it is stored; one portfolio's (or token's) requests to an ordered adapter come one after the other. */
  private perform(request: OpenRequest, recovering: boolean): void {
    const { engine, log, clock } = this.options;
    const adapter = engine.effects.adapter(request.adapter);
    const chain = `${adapter.name}\u0000${request.request.key}`;
    const before =
      adapter.concurrency === 'ordered' ? (this.chains.get(chain) ?? Promise.resolve()) : Promise.resolve();
    const isUrgent = this.urgent.isPossible && (adapter.isUrgent?.(request.request) ?? false);
    // What waits for the store in front of it holds it up no longer than the store itself.
    const turn = isUrgent ? this.urgent.atMost(before) : before;
    const work = turn.then(async () => {
      if (isUrgent) await this.urgent.safe(request.seq);
      else if (!adapter.isPure) await log.durable(request.seq);
      if (this.isStopped || log.fatal) return;
      const results = await adapter.perform(request.request, { now: clock.now(), recovering });
      if (results === null) engine.effects.close(request);
      for (const result of results ?? []) this.takeLater(result);
      if (!adapter.isPure) this.armVenue();
    });
    if (adapter.concurrency === 'ordered')
      this.chains.set(
        chain,
        Promise.allSettled([before, work]).then(() => undefined),
      );
    this.track(work);
  }

  private takeLater({ event, availableAt }: TimedInput): void {
    const { clock } = this.options;
    const settled = this.settle(event);
    if (availableAt <= clock.now()) {
      this.submit(settled);
      return;
    }
    const cancel = clock.at(availableAt, () => {
      this.timers.delete(cancel);
      this.submit(settled);
    });
    this.timers.add(cancel);
  }

  private track(work: Promise<void>): void {
    const tracked = work.catch((thrown: unknown) => this.broke(thrown)).finally(() => this.running.delete(tracked));
    this.running.add(tracked);
  }

  /** A venue that is silent for a call ends nothing: what it did not get or say is made up for by its next answer. */
  private broke(thrown: unknown): void {
    const isSilence = thrown instanceof VenueTimeout || thrown instanceof VenueUnreachable;
    if (isSilence) this.options.onVenueSilent?.(thrown);
    else this.fail(thrown);
  }

  private guard(work: () => void): void {
    if (this.isStopped) return;
    try {
      work();
    } catch (thrown) {
      this.fail(thrown);
    }
  }

  private fail(thrown: unknown): void {
    if (this.isStopped) return;
    this.isStopped = true;
    this.options.onFatal(thrown instanceof Error ? thrown : new Error(String(thrown)));
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

import type { AnyEvent } from '@moon/events';
import { deadlineEvent } from '../core/deadline-table';
import type { Engine } from '../core/engine';
import type { OpenRequest } from '../core/effect-tracker';
import type { LogSink } from '../ports/log-sink';
import type { TimedInput } from '../ports/effect';
import type { Awaitable } from '../ports/venue';
import { isMarketEvent, type VenueLink } from '../venue-link/venue-link';
import { InputCursor, type InputSource } from './input-source';

export interface LockstepOptions {
  engine: Engine;
  log: LogSink;
  source: InputSource;
  venue?: VenueLink;
  /** Headers of the inputs that the runtime makes itself (deadlines). */
  headers: AnyEvent['headers'];
  /** Called after each input has been handled to the end; may wait (pace, checkpoints, stop). True ends the run. */
  afterInput?: (event: AnyEvent) => Awaitable<boolean>;
}

/** Inputs between two turns of the event loop, in which the log is written and sockets are served. */
const INPUTS_PER_TURN = 512;
const NEVER = Number.POSITIVE_INFINITY;

interface Due {
  at: number;
  order: number;
  event: AnyEvent;
}

/**
 * Drives recorded inputs in virtual time (rule 4): the next input is released only when everything that follows from
 * the one before has been handled and every request that is due by its time has its result. Results come before inputs
 * of the same instant, deadlines after them. Backtests and recorded runs of the local runtime use this one driver.
 *
 * As long as venue, adapters and source answer at once, nothing here waits: a promise for each input would cost more
 * than all its handlers. So its steps are plain calls that answer a promise only when they had to wait for one.
 */
export class LockstepRuntime {
  private readonly cursor: InputCursor;
  private readonly requests: OpenRequest[] = [];
  private readonly due: Due[] = [];
  private order = 0;
  private time = 0;

  constructor(private readonly options: LockstepOptions) {
    this.cursor = new InputCursor(options.source);
  }

  /** To be wired to the engine's `onRequest`. */
  request(request: OpenRequest): void {
    this.requests.push(request);
  }

  /** Feed time, ms. */
  get now(): number {
    return Math.max(this.time, this.options.engine.now);
  }

  /** Continues after a restart: passes over logged inputs, finishes open requests, brings in what the venue reports. */
  async resume(inputs: readonly AnyEvent[]): Promise<void> {
    const { engine } = this.options;
    await this.cursor.skip(engine.feedInputs);
    for (const event of inputs) engine.input(event);
    for (const request of engine.effects.unsettled()) await this.perform(request, true);
    await this.settle();
  }

  /** Runs to the end of the source, then until no deadline or report is due by the last input's time. */
  async run(): Promise<void> {
    await this.settle();
    for (let handled = 1; ; handled += 1) {
      if (handled % INPUTS_PER_TURN === 0) await new Promise((resolve) => setImmediate(resolve));
      let event = this.next();
      if (event instanceof Promise) event = await event;
      if (event === null) return;
      if (event.occurredAt > this.time) this.time = event.occurredAt;
      if (this.options.log.isFull) await this.options.log.room();
      const done = this.options.afterInput?.(event);
      if (done === true || (done instanceof Promise && (await done))) return;
    }
  }

  /** Takes the next thing that happens, in the order of rule 4, and handles it to the end. Null after the last. */
  private next(): Awaitable<AnyEvent | null> {
    const input = this.cursor.peek();
    const venueAt = this.options.venue?.nextDueAt() ?? null;
    if (input instanceof Promise || venueAt instanceof Promise) return this.nextOf(input, venueAt);
    return this.take(input, venueAt);
  }

  private async nextOf(input: Awaitable<AnyEvent | null>, venueAt: Awaitable<number | null>): Promise<AnyEvent | null> {
    return this.take(await input, await venueAt);
  }

  private take(input: AnyEvent | null, venueAt: number | null): Awaitable<AnyEvent | null> {
    const deadline = this.options.engine.deadlines.next();
    const result = this.due[0];
    const inputAt = input === null ? NEVER : input.occurredAt;
    const resultAt = result === undefined ? NEVER : result.at;
    const reportAt = venueAt ?? NEVER;
    const deadlineAt = deadline === null ? NEVER : deadline.dueAt;
    if (input === null && Math.min(resultAt, reportAt, deadlineAt) > this.now) return null;
    if (venueAt !== null && reportAt <= Math.min(resultAt, inputAt, deadlineAt)) return this.takeReports(reportAt);
    if (result && resultAt <= Math.min(inputAt, deadlineAt)) {
      this.due.shift();
      return this.handle(result.event);
    }
    if (input !== null && inputAt <= deadlineAt) return this.release(input);
    return deadline === null ? null : this.handle(deadlineEvent(deadline, this.options.headers));
  }

  private async takeReports(at: number): Promise<AnyEvent | null> {
    const { engine, venue } = this.options;
    this.time = Math.max(this.time, at);
    const reports = (await venue?.advanceTo(at)) ?? [];
    for (const report of reports) engine.input(report);
    await this.settle();
    return reports[reports.length - 1] ?? this.next();
  }

  private handle(event: AnyEvent): Awaitable<AnyEvent> {
    this.options.engine.input(event);
    return after(this.settle(), event);
  }

  private release(input: AnyEvent): Awaitable<AnyEvent> {
    const { engine, venue } = this.options;
    this.cursor.take();
    engine.feed(input);
    if (venue !== undefined && isMarketEvent(input)) {
      const reports = venue.market(input);
      if (reports instanceof Promise) return this.releaseWith(input, reports);
      for (const report of reports) engine.input(report);
    }
    return after(this.settle(), input);
  }

  private async releaseWith(input: AnyEvent, reports: Promise<AnyEvent[]>): Promise<AnyEvent> {
    for (const report of await reports) this.options.engine.input(report);
    await this.settle();
    return input;
  }

  /** Dispatches and performs until nothing is left to do. A promise only when an adapter needs one. */
  private settle(): Awaitable<void> {
    this.options.engine.drain();
    while (this.requests.length > 0) {
      const request = this.requests.shift();
      const performed = request && this.perform(request, false);
      if (performed instanceof Promise) return performed.then(() => this.settle());
      this.options.engine.drain();
    }
    return undefined;
  }

  private perform(request: OpenRequest, recovering: boolean): Awaitable<void> {
    const { engine, log } = this.options;
    const adapter = engine.effects.adapter(request.adapter);
    if (!adapter.isPure && log.durableSeq < request.seq)
      return log.durable(request.seq).then(() => this.performNow(request, recovering));
    return this.performNow(request, recovering);
  }

  private performNow(request: OpenRequest, recovering: boolean): Awaitable<void> {
    const adapter = this.options.engine.effects.adapter(request.adapter);
    const results = adapter.perform(request.request, { now: this.now, recovering });
    if (results instanceof Promise) return results.then((given) => this.takeResults(request, given));
    return this.takeResults(request, results);
  }

  private takeResults(request: OpenRequest, results: TimedInput[] | null): void {
    if (results === null) this.options.engine.effects.close(request);
    for (const result of results ?? []) this.takeResult(result);
  }

  private takeResult({ event, availableAt }: TimedInput): void {
    if (availableAt <= this.now) {
      this.options.engine.input(event);
      return;
    }
    const entry = { at: availableAt, order: (this.order += 1), event };
    const index = this.due.findIndex((other) => other.at > entry.at);
    if (index < 0) this.due.push(entry);
    else this.due.splice(index, 0, entry);
  }
}

/** `value`, once what has to be waited for is over. */
function after<T>(waiting: Awaitable<void>, value: T): Awaitable<T> {
  return waiting instanceof Promise ? waiting.then(() => value) : value;
}

import type { AnyEvent } from '@moon/events';
import { deadlineEvent } from '../core/deadline-table';
import type { Engine } from '../core/engine';
import type { OpenRequest } from '../core/effect-tracker';
import type { LogSink } from '../log/log-writer';
import type { TimedInput } from '../ports/effect';
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
  afterInput?: (event: AnyEvent) => boolean | Promise<boolean>;
}

/** Inputs between two turns of the event loop, in which the log is written and sockets are served. */
const INPUTS_PER_TURN = 128;

interface Due {
  at: number;
  order: number;
  event: AnyEvent;
}

/**
 * Drives recorded inputs in virtual time (rule 4): the next input is released only when everything that follows from
 * the one before has been handled and every request that is due by its time has its result. Results come before inputs
 * of the same instant, deadlines after them. Backtests and recorded runs of the local runtime use this one driver.
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
      const event = await this.next();
      if (event === null) return;
      this.time = Math.max(this.time, event.occurredAt);
      if (this.options.log.isFull) await this.options.log.room();
      const done = this.options.afterInput?.(event);
      if (done === true || (done !== undefined && done !== false && (await done))) return;
    }
  }

  /** Takes the next thing that happens, in the order of rule 4, and handles it to the end. */
  private async next(): Promise<AnyEvent | null> {
    const { engine, venue } = this.options;
    let input = this.cursor.peek();
    if (input instanceof Promise) input = await input;
    const result = this.due[0];
    const deadline = engine.deadlines.next();
    let venueAt = venue?.nextDueAt() ?? null;
    if (venueAt instanceof Promise) venueAt = await venueAt;
    const inputAt = input?.occurredAt ?? Number.POSITIVE_INFINITY;
    const resultAt = result?.at ?? Number.POSITIVE_INFINITY;
    const reportAt = venueAt ?? Number.POSITIVE_INFINITY;
    const deadlineAt = deadline?.dueAt ?? Number.POSITIVE_INFINITY;
    if (input === null && Math.min(resultAt, reportAt, deadlineAt) > this.now) return null;
    if (venue && reportAt <= Math.min(resultAt, inputAt, deadlineAt)) {
      this.time = Math.max(this.time, reportAt);
      let reports = venue.advanceTo(reportAt);
      if (reports instanceof Promise) reports = await reports;
      for (const report of reports) engine.input(report);
      await this.settle();
      return reports[reports.length - 1] ?? this.next();
    }
    if (result && resultAt <= Math.min(inputAt, deadlineAt)) {
      this.due.shift();
      engine.input(result.event);
      await this.settle();
      return result.event;
    }
    if (input && inputAt <= deadlineAt) {
      await this.release(input);
      return input;
    }
    if (!deadline) return null;
    const event = deadlineEvent(deadline, this.options.headers);
    engine.input(event);
    await this.settle();
    return event;
  }

  private async release(input: AnyEvent): Promise<void> {
    const { engine, venue } = this.options;
    this.cursor.take();
    engine.input(input);
    if (venue && isMarketEvent(input)) {
      let reports = venue.market(input);
      if (reports instanceof Promise) reports = await reports;
      for (const report of reports) engine.input(report);
    }
    await this.settle();
  }

  private async settle(): Promise<void> {
    this.options.engine.drain();
    while (this.requests.length > 0) {
      const request = this.requests.shift();
      if (request) await this.perform(request, false);
      this.options.engine.drain();
    }
  }

  private async perform(request: OpenRequest, recovering: boolean): Promise<void> {
    const { engine, log } = this.options;
    const adapter = engine.effects.adapter(request.adapter);
    if (!adapter.isPure) await log.durable(request.seq);
    let results = adapter.perform(request.request, { now: this.now, recovering });
    if (results instanceof Promise) results = await results;
    if (results === null) engine.effects.close(request);
    for (const result of results ?? []) this.take(result);
  }

  private take({ event, availableAt }: TimedInput): void {
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

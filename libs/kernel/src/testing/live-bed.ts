import type { AnyEvent } from '@moon/events';
import type { Handler } from '@moon/domain';
import { Engine } from '../core/engine';
import type { RemoteHandlers } from '../core/engine-options';
import { LogWriter, type LogWriterOptions } from '../log/log-writer';
import { MemoryEventStore } from '../memory/memory-event-store';
import type { EffectAdapter } from '../ports/effect';
import type { EventStore, LogRow } from '../ports/event-store';
import { LiveRuntime, type LiveOptions } from '../runtime/live';
import { recover } from '../runtime/recover';
import type { VenueLink } from '../venue-link/venue-link';
import { ManualClock } from './manual-clock';
import { T0 } from './venue-desk';

export interface LiveBedOptions {
  handlers: readonly Handler[];
  adapters?: readonly EffectAdapter[];
  venue?: VenueLink;
  store?: EventStore;
  remote?: RemoteHandlers;
  wall?: LiveOptions['wall'];
  onWritten?: LogWriterOptions['onWritten'];
}

/** A live runtime on a test's clock, with its log in memory. */
export class LiveBed {
  readonly clock = new ManualClock(T0);
  readonly store: EventStore;
  readonly engine: Engine;
  readonly runtime: LiveRuntime;
  readonly failures: Error[] = [];

  /** @param storedSeq where the log of the store ends */
  constructor(
    private readonly options: LiveBedOptions,
    storedSeq = 0,
  ) {
    const { handlers, adapters, venue, remote, wall, onWritten } = options;
    this.store = options.store ?? new MemoryEventStore();
    const log = new LogWriter(this.store, storedSeq, { onWritten });
    this.engine = new Engine({
      ...{ handlers, adapters, log, remote },
      onEvent: (event) => venue?.observe(event),
      onRequest: (request) => this.runtime.request(request),
    });
    const onFatal = (error: Error): void => void this.failures.push(error);
    this.runtime = new LiveRuntime({
      ...{ engine: this.engine, log, clock: this.clock, venue, wall, onFatal },
      headers: { mode: 'live' },
    });
  }

  start(inputs: readonly AnyEvent[] = []): this {
    this.runtime.start(inputs);
    return this;
  }

  submit(...events: readonly AnyEvent[]): void {
    for (const event of events) this.runtime.submit(event);
  }

  /** Moves the clock, and lets everything happen that follows. */
  async pass(ms: number): Promise<void> {
    this.clock.advance(ms);
    await turns();
  }

  /** The stored log. */
  async rows(): Promise<LogRow[]> {
    await turns();
    const rows: LogRow[] = [];
    for await (const row of this.store.readLog(0)) rows.push(row);
    return rows;
  }

  /** Types of the stored log, in its order. */
  async types(): Promise<string[]> {
    return (await this.rows()).map(({ event }) => event.type);
  }

  /** Another runtime that has handled the stored log again, from its checkpoint on; not started yet. */
  async restarted(more: Partial<LiveBedOptions> = {}): Promise<{ bed: LiveBed; unlogged: AnyEvent[] }> {
    const store = more.store ?? this.store;
    const bed = new LiveBed({ ...this.options, store, ...more }, await store.lastSeq());
    const { unlogged } = await recover({ store, engine: bed.engine });
    return { bed, unlogged };
  }
}

/** Lets immediates, promises and messages have their turn, several times over. */
export async function turns(count = 20): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

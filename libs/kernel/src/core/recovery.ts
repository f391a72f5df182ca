import type { AnyEvent } from '@moon/events';
import type { LogRow } from '../ports/event-store';

/**
 * What is known while the log is handled again: outputs that the log holds are recognised by id, whichever comes first,
 * and what is left at the end is the tail that a crash cut off. Failures are taken from the record, not tried again.
 */
export class Recovery {
  private readonly made = new Map<string, AnyEvent>();
  private readonly logged = new Set<string>();
  private readonly failures = new Map<string, Array<'skipped' | 'parked'>>();

  constructor(rows: readonly LogRow[] = []) {
    for (const { event } of rows) {
      if (event.type === 'event.skipped') this.note(event.data.handler, event.data.handlerKey, event.data.skippedEventId, 'skipped');
      if (event.type === 'key.parked') this.note(event.data.handler, event.data.handlerKey, event.data.eventId, 'parked');
    }
  }

  /** What the log says became of this delivery; each record answers for one delivery. */
  recordedFailure(handler: string, key: string, eventId: string): 'skipped' | 'parked' | undefined {
    return this.failures.size === 0 ? undefined : this.failures.get(`${handler}\u0000${key}\u0000${eventId}`)?.shift();
  }

  /** A handler emitted this while the log was handled again. */
  output(event: AnyEvent): void {
    if (!this.logged.delete(event.id)) this.made.set(event.id, event);
  }

  /** The log holds this event. */
  record(event: AnyEvent): void {
    if (!this.made.delete(event.id)) this.logged.add(event.id);
  }

  /** Emitted, but not in the log: in the order in which it was emitted. */
  unlogged(): AnyEvent[] {
    return [...this.made.values()];
  }

  /** Ids of the log that no handler emitted: the inputs, and what another code version emitted. */
  unexplained(): ReadonlySet<string> {
    return this.logged;
  }

  private note(handler: string, key: string, eventId: string, kind: 'skipped' | 'parked'): void {
    const slot = `${handler}\u0000${key}\u0000${eventId}`;
    this.failures.set(slot, [...(this.failures.get(slot) ?? []), kind]);
  }
}

import type { AnyEvent } from '@moon/events';
import type { LogRow } from '../ports/event-store';

/**
 * What is known while the log is handled again: outputs that the log holds are recognised by id, whichever comes first,
 * and what is left at the end is the tail that a crash cut off. Failures are taken from the record, not tried again.
 */
export class Recovery {
  private readonly made = new Map<string, AnyEvent>();
  private readonly logged = new Set<string>();
  /** Deliveries that were skipped, by the position at which they were due. */
  private readonly skips = new Set<string>();
  private readonly parks = new Map<string, number>();

  /** @param rows the log's `event.skipped` and `key.parked`; others are ignored */
  constructor(rows: readonly LogRow[] = []) {
    for (const { event } of rows) {
      if (event.type === 'event.skipped')
        this.skips.add(slot(event.data.handler, event.data.handlerKey, event.data.skippedSeq));
      if (event.type === 'key.parked') {
        const place = slot(event.data.handler, event.data.handlerKey, event.data.eventId);
        this.parks.set(place, (this.parks.get(place) ?? 0) + 1);
      }
    }
  }

  /** What the log says became of the delivery of an event at position `seq`. */
  recordedFailure(handler: string, key: string, eventId: string, seq: number): 'skipped' | 'parked' | undefined {
    if (this.skips.size > 0 && this.skips.has(slot(handler, key, seq))) return 'skipped';
    if (this.parks.size === 0) return undefined;
    const place = slot(handler, key, eventId);
    const left = this.parks.get(place) ?? 0;
    if (left === 0) return undefined;
    this.parks.set(place, left - 1);
    return 'parked';
  }

  /** A handler emitted this while the log was handled again. */
  output(event: AnyEvent): void {
    if (!this.logged.delete(event.id)) this.made.set(event.id, event);
  }

  /** The log holds this event. */
  record(event: AnyEvent): void {
    if (event.causationId !== null && !this.made.delete(event.id)) this.logged.add(event.id);
  }

  /** Emitted, but not in the log: in the order in which it was emitted. */
  unlogged(): AnyEvent[] {
    return [...this.made.values()];
  }

  /** How many logged events nobody has made again yet. */
  get size(): number {
    return this.logged.size;
  }

  /** True when the log holds this event and nobody has made it again yet. */
  isLogged(id: string): boolean {
    return this.logged.has(id);
  }

  /** As `isLogged`; each logged event answers once. */
  claim(id: string): boolean {
    return this.logged.delete(id);
  }
}

function slot(handler: string, key: string, place: string | number): string {
  return `${handler}\u0000${key}\u0000${place}`;
}

import { derivedId, type AnyEvent } from '@moon/events';

/** A durable deadline of one handler and key; `dueAt` in run time, ms. */
export interface Deadline {
  handler: string;
  key: string;
  name: string;
  dueAt: number;
  data: Record<string, unknown>;
  /** The event on which it was scheduled: the cause of its `deadline.reached`. */
  causeId: string;
  correlationId: string;
}

/**
 * All open deadlines. They are derived state: handling the log again sets them again, and a checkpoint carries them
 * in the same cut as the handlers' states (rule 23).
 */
export class DeadlineTable {
  private readonly open = new Map<string, Deadline>();
  private earliest: Deadline | null = null;
  private stale = false;

  set(deadline: Deadline): void {
    this.open.set(keyOf(deadline.handler, deadline.key, deadline.name), deadline);
    this.stale = true;
  }

  cancel(handler: string, key: string, name: string): void {
    if (this.open.delete(keyOf(handler, key, name))) this.stale = true;
  }

  /** Removes the deadline that a `deadline.reached` event reports, unless it has been set again since. */
  reached(data: { handler: string; handlerKey: string; name: string; dueAt: number }): void {
    const deadline = this.open.get(keyOf(data.handler, data.handlerKey, data.name));
    if (deadline && deadline.dueAt === data.dueAt) this.cancel(data.handler, data.handlerKey, data.name);
  }

  /** Takes out a deadline that is about to be reported. */
  fire({ handler, key, name }: Deadline): void {
    this.cancel(handler, key, name);
  }

  /** Open deadlines that are due at `now`, in the order in which they fell due. */
  due(now: number): Deadline[] {
    const next = this.next();
    return next === null || next.dueAt > now ? [] : this.snapshot().filter(({ dueAt }) => dueAt <= now);
  }

  /** The open deadline that falls due first; ties by handler, key and name. */
  next(): Deadline | null {
    if (this.stale) {
      this.earliest = null;
      for (const deadline of this.open.values()) {
        if (this.earliest === null || isBefore(deadline, this.earliest)) this.earliest = deadline;
      }
      this.stale = false;
    }
    return this.earliest;
  }

  /** When the next one falls due of those that are due later than `at`; null when there is none. */
  dueAfter(at: number): number | null {
    let least = Infinity;
    for (const { dueAt } of this.open.values()) if (dueAt > at && dueAt < least) least = dueAt;
    return least === Infinity ? null : least;
  }

  snapshot(): Deadline[] {
    return [...this.open.values()].sort((a, b) => (isBefore(a, b) ? -1 : 1));
  }

  restore(deadlines: readonly Deadline[]): void {
    this.open.clear();
    for (const deadline of deadlines) this.set(deadline);
    this.stale = true;
  }
}

/** Id of the event by which a deadline fires. */
export function deadlineId({ causeId, handler, key, name, dueAt }: Omit<Deadline, 'data' | 'correlationId'>): string {
  return derivedId(causeId, `deadline/${handler}/${key}/${name}`, dueAt);
}

/** The input event by which a deadline fires; its time is its due time (rule 2). */
export function deadlineEvent(deadline: Deadline, headers: AnyEvent['headers']): AnyEvent {
  const { handler, key, name, dueAt } = deadline;
  return {
    id: deadlineId(deadline),
    type: 'deadline.reached',
    schemaVersion: 1,
    source: 'kernel/deadlines',
    key,
    occurredAt: dueAt,
    correlationId: deadline.correlationId,
    causationId: deadline.causeId,
    data: { event_type: 'deadline.reached', handler, handlerKey: key, name, dueAt, data: deadline.data },
    headers,
  } as AnyEvent;
}

function keyOf(handler: string, key: string, name: string): string {
  return `${handler}\u0000${key}\u0000${name}`;
}

function isBefore(a: Deadline, b: Deadline): boolean {
  if (a.dueAt !== b.dueAt) return a.dueAt < b.dueAt;
  return keyOf(a.handler, a.key, a.name) < keyOf(b.handler, b.key, b.name);
}

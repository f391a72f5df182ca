import { derivedId, CATALOG, withEventType, type AnyEvent, type EmitData, type EventType } from '@moon/events';
import type { AnyCommand, JsonObject, Outbox } from '@moon/domain';

/** What one delivery made. Events carry their final ids; nothing here has been sequenced yet. */
export interface Delivered {
  handler: string;
  key: string;
  events: readonly AnyEvent[];
  commands: readonly AnyCommand[];
  deadlines: readonly DeadlineChange[];
}

/** What a delivery in this host made. */
export interface Outcome extends Delivered {
  /** Nothing was emitted, sent or scheduled. */
  readonly isEmpty: boolean;
}

type DeadlineChange = { set: true; name: string; at: number; data: JsonObject } | { set: false; name: string };

/** What an event takes over from its cause's headers: the run's mode, and that it belongs to the warm-up. */
function inheritedHeaders(cause: AnyEvent): AnyEvent['headers'] {
  const headers = cause.headers;
  if (!headers) return undefined;
  if (headers.warmup) return { mode: headers.mode, warmup: true };
  return headers.mode === undefined ? { mode: undefined } : MODE_ALONE[headers.mode];
}

/** One object for all the events of a run: nothing writes to headers. */
const MODE_ALONE = Object.freeze({
  live: Object.freeze({ mode: 'live' as const }),
  synthetic: Object.freeze({ mode: 'synthetic' as const }),
  recorded: Object.freeze({ mode: 'recorded' as const }),
});

const NOTHING: readonly never[] = [];

/** Puts an entry at the end of a list that may be the shared empty one. */
function append<T>(list: readonly T[], entry: T): readonly T[] {
  if (list.length === 0) return [entry];
  (list as T[]).push(entry);
  return list;
}

/** Gives what is emitted its derived id, cause, time and headers (rules 2 and 3). */
export class CollectingOutbox implements Outbox, Outcome {
  // Most deliveries make nothing: the lists come with their first entry.
  events: readonly AnyEvent[] = NOTHING;
  commands: readonly AnyCommand[] = NOTHING;
  deadlines: readonly DeadlineChange[] = NOTHING;

  now = 0;
  private cause!: AnyEvent;
  private sender: string | undefined;

  /** @param emitter what the ids are derived from beside the cause: one text for all deliveries, which is looked up by every id */
  constructor(
    readonly handler: string,
    readonly key: string,
    private readonly emitter = `${handler}/${key}`,
  ) {}

  /** An empty one for the same handler and key. */
  fresh(): CollectingOutbox {
    return new CollectingOutbox(this.handler, this.key, this.emitter);
  }

  /** Starts a delivery. Only an empty outbox may start another one: its lists belong to whoever took them. */
  begin(now: number, cause: AnyEvent, sender?: string): void {
    this.now = now;
    this.cause = cause;
    this.sender = sender;
  }

  get isEmpty(): boolean {
    return this.events === NOTHING && this.commands === NOTHING && this.deadlines === NOTHING;
  }

  emit<T extends EventType>(type: T, data: EmitData<T>, key?: string): void {
    const { cause, sender } = this;
    const full = withEventType(type, data);
    const emitter = sender === undefined ? this.emitter : `${this.emitter}#${sender}`;
    const { schemaVersion, keyOf } = CATALOG[type];
    this.events = append(this.events, {
      id: derivedId(cause.id, emitter, this.events.length),
      type,
      schemaVersion,
      source: this.handler,
      key: key ?? keyOf(full),
      occurredAt: cause.occurredAt,
      correlationId: cause.correlationId,
      causationId: cause.id,
      data: full,
      headers: inheritedHeaders(cause),
    } as unknown as AnyEvent);
  }

  send(command: AnyCommand): void {
    this.commands = append(this.commands, command);
  }

  schedule(name: string, at: number, data: JsonObject = {}): void {
    this.deadlines = append<DeadlineChange>(this.deadlines, { set: true, name, at, data });
  }

  cancel(name: string): void {
    this.deadlines = append<DeadlineChange>(this.deadlines, { set: false, name });
  }
}

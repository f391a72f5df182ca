import { CATALOG, defaultKey, eventId, validateData } from '@moon/events';
import type { AnyEvent, EmitData, EventEnvelope, EventType, JsonObject } from '@moon/events';
import type { AnyCommand } from './commands';
import type { Handler, Outbox } from './handler';
import { assertPlainState } from './plain-state';

/** What a handler emitted: `at` is the outbox's time, `key` what was given or what the catalog makes of the data. */
export type Emitted = { [T in EventType]: { type: T; data: EmitData<T>; key: string; at: number } }[EventType];
export interface Scheduled {
  name: string;
  at: number;
  data: JsonObject;
  key: string;
}

/** An outbox that records, for given/when/then specs. */
export interface RecordedOutbox extends Outbox {
  emitted: Emitted[];
  commands: AnyCommand[];
  scheduled: Scheduled[];
  cancelled: string[];
}

/** An outbox at time `now` (epoch ms) for handler key `key`. Like a runtime it refuses (EventRefused) data that its schema does not allow. */
export function recordOutbox(now: number, key: string): RecordedOutbox {
  const emitted: Emitted[] = [];
  const commands: AnyCommand[] = [];
  const scheduled: Scheduled[] = [];
  const cancelled: string[] = [];
  return {
    now,
    key,
    emitted,
    commands,
    scheduled,
    cancelled,
    emit: (type, data, to) => {
      validateData(type, { event_type: type, ...data });
      emitted.push({ type, data, key: to ?? defaultKey(type, data), at: now } as Emitted);
    },
    send: (command) => void commands.push(command),
    schedule: (name, at, data = {}) => void scheduled.push({ name, at, data, key }),
    cancel: (name) => void cancelled.push(name),
  };
}

/**
 * An event as a runtime would deliver it. The id is derived from type, time and data, so a spec is repeatable; `overrides`
 * replaces any envelope field. The data is not validated: it may be what a boundary has yet to refuse.
 */
export function testEvent<T extends EventType>(
  type: T,
  occurredAt: number,
  data: EmitData<T>,
  overrides: Partial<Omit<EventEnvelope<T>, 'type' | 'data'>> = {},
): AnyEvent {
  const id = eventId('test', type, String(occurredAt), JSON.stringify(data));
  const whole = { event_type: type, ...data };
  return {
    id,
    type,
    schemaVersion: CATALOG[type].schemaVersion,
    source: 'test',
    key: defaultKey(type, whole),
    occurredAt,
    correlationId: id,
    causationId: null,
    data: whole,
    ...overrides,
  } as unknown as AnyEvent;
}

/** Everything that came out of a run, and the states it ended with. */
export interface Driven<S> {
  /** State of the first key that was handled. */
  state: S;
  states: Record<string, S>;
  emitted: Emitted[];
  commands: AnyCommand[];
  /** Every schedule call, in order. */
  scheduled: Scheduled[];
  /** Deadlines that neither fired nor were cancelled. */
  pending: Scheduled[];
  cancelled: string[];
  /** Emitted data of one type, in order. */
  of<T extends EventType>(type: T): EmitData<T>[];
}

/**
 * Drives a handler through events as the replay runtime does: one state per key, broadcasts to every known key, a
 * deadline fires before the first event later than its due time (rule 23), and up to `options.until` at the end.
 * State goes through JSON after each of the first thousand events and then after every thousandth, so a state that JSON
 * cannot hold fails the spec that made it. Events that the handler does not ask for are left out.
 *
 * @param options.key deliver everything to this key instead of the event's own.
 */
export function driveHandler<S>(
  handler: Handler<S>,
  events: readonly AnyEvent[],
  options: { key?: string; until?: number; states?: Record<string, S> } = {},
): Driven<S> {
  const driver = new Driver(handler, options.states ?? {});
  for (const event of events) {
    driver.fireDue((at) => at < event.occurredAt);
    driver.dispatch(event, options.key);
  }
  const { until } = options;
  if (until !== undefined) driver.fireDue((at) => at <= until);
  const { states, emitted, commands, scheduled, pending, cancelled } = driver;
  const first = Object.keys(states)[0] ?? options.key ?? '';
  return {
    state: states[first] ?? handler.initialState(first),
    ...{ states, emitted, commands, scheduled, pending, cancelled },
    of: <T extends EventType>(type: T) =>
      emitted.filter((one) => one.type === type).map((one) => one.data as EmitData<T>),
  };
}

class Driver<S> {
  readonly states: Record<string, S>;
  readonly emitted: Emitted[] = [];
  readonly commands: AnyCommand[] = [];
  readonly scheduled: Scheduled[] = [];
  readonly cancelled: string[] = [];
  pending: Scheduled[] = [];
  private now = Number.NEGATIVE_INFINITY;
  private handled = 0;

  constructor(
    private readonly handler: Handler<S>,
    states: Record<string, S>,
  ) {
    this.states = { ...states };
  }

  dispatch(event: AnyEvent, key: string | undefined): void {
    const isBroadcast = this.handler.broadcast?.includes(event.type) === true;
    if (!isBroadcast && !this.handler.consumes.includes(event.type) && event.type !== 'deadline.reached') return;
    if (key !== undefined) this.deliver(event, key);
    else for (const one of isBroadcast ? Object.keys(this.states) : [event.key]) this.deliver(event, one);
  }

  fireDue(isDue: (at: number) => boolean): void {
    for (;;) {
      const next = this.pending.filter((one) => isDue(one.at)).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) return;
      this.forget(next.name, next.key);
      const { key: handlerKey, name, at: dueAt, data } = next;
      const due = { handler: this.handler.name, handlerKey, name, dueAt, data };
      this.deliver(testEvent('deadline.reached', dueAt, due), handlerKey);
    }
  }

  private deliver(event: AnyEvent, key: string): void {
    this.now = Math.max(this.now, event.occurredAt);
    const box = recordOutbox(this.now, key);
    box.schedule = (name, at, data = {}) => {
      this.forget(name, key);
      this.pending.push({ name, at, data, key });
      this.scheduled.push({ name, at, data, key });
    };
    box.cancel = (name) => {
      this.forget(name, key);
      this.cancelled.push(name);
    };
    const state = (this.states[key] ??= this.handler.initialState(key));
    this.handler.handle(event, state, box);
    this.handled += 1;
    if (this.handled <= 1_000 || this.handled % 1_000 === 0) this.states[key] = throughJson(state, this.handler.name);
    this.emitted.push(...box.emitted);
    this.commands.push(...box.commands);
  }

  private forget(name: string, key: string): void {
    this.pending = this.pending.filter((one) => one.key !== key || one.name !== name);
  }
}

/** A copy through JSON; throws when the copy would not equal the original. */
function throughJson<S>(state: S, handler: string): S {
  const text = JSON.stringify(state);
  assertPlainState(state, handler);
  return JSON.parse(text) as S;
}

import { validateEmitted, type AnyEvent, type EventType } from '@moon/events';
import { asError } from './as-error';
import type { AnyCommand, Handler, Outbox } from '@moon/domain';
import { CollectingOutbox, type Outcome } from './collecting-outbox';

export type { Delivered } from './collecting-outbox';

/** A delivery that threw. The handler's state is as it was before. */
export interface DeliveryFailure {
  handler: string;
  key: string;
  event: AnyEvent;
  /** Set when it was a command that its owner could not decide. */
  command?: AnyCommand;
  sender?: string;
  error: Error;
}

export interface HandlerState {
  handler: string;
  key: string;
  state: unknown;
  /** The handler's time, ms: it never runs backwards (rule 2). */
  now: number;
}

type Delivery = { event: AnyEvent; command?: AnyCommand; isPark?: true };

/** A handler and one of its keys. */
export interface Target {
  handler: Handler;
  key: string;
  /** Where its state is, once it has one. */
  slot?: Slot;
}

interface Slot {
  key: string;
  state: unknown;
  now: number;
  /** JSON of the state at the last base, and what was delivered since: the way back after a throw. */
  base: string;
  since: Delivery[];
  /** Put into the next handler's hands again as long as nothing was put into it. */
  outbox: CollectingOutbox;
}

export interface HostOptions {
  /**
   * Keep the way back to the state before a delivery that throws (default). Without it a throw ends the run with
   * `UnguardedFailure`: for replays, which can be started again from their beginning with a guard.
   */
  isGuarded?: boolean;
  /** It is one of several, each with handlers and keys of its own: it has the keys that all of them have. */
  isShard?: boolean;
}

/** A handler threw in a run that keeps no way back. */
export class UnguardedFailure extends Error {
  constructor(readonly failure: DeliveryFailure) {
    super(
      `${failure.handler}/${failure.key} failed at ${failure.event.type} ${failure.event.id}: ${failure.error.message}`,
      { cause: failure.error },
    );
    this.name = 'UnguardedFailure';
  }
}

/**
 * A base costs a JSON copy of the state, and the deliveries since keep their events in memory: a new one is made after as
 * many deliveries as the state has blocks of this many characters, so that a delivery bears the cost of one block.
 */
const BASE_BLOCK = 128;
const BASE_AFTER = { atLeast: 16, atMost: 2_048 };
/** Where events of one type go, by their key; the key that was asked for last stands beside the map. */
interface Routes {
  readonly byKey: Map<string, readonly Target[]>;
  lastKey: string | null;
  lastTargets: readonly Target[];
}

/**
 * Holds the states of a set of handlers and delivers events to them; it knows no order, no log and no thread.
 * The same class works in the main thread, in an agent's worker and in a replay.
 */
export class HandlerHost {
  private readonly handlers = new Map<string, Handler>();
  private readonly keyed = new Map<string, Handler[]>();
  private readonly broadcast = new Map<string, Handler[]>();
  private readonly owners = new Map<string, Handler>();
  private readonly slots = new Map<string, Map<string, Slot>>();
  private readonly orderedKeys = new Map<string, string[]>();
  /** Targets by type and key, as long as no handler meets a new key. */
  private routes = new Map<EventType, Routes>();
  private lastDelivery: Delivery | null = null;

  private readonly isGuarded: boolean;

  constructor(handlers: readonly Handler[], options: HostOptions = {}) {
    this.isGuarded = options.isGuarded ?? true;
    for (const handler of handlers) {
      if (this.handlers.has(handler.name)) throw new Error(`Two handlers are named "${handler.name}".`);
      this.handlers.set(handler.name, handler);
      this.slots.set(handler.name, new Map());
      this.orderedKeys.set(handler.name, []);
      for (const type of handler.consumes) push(this.keyed, type, handler);
      for (const type of handler.broadcast ?? []) push(this.broadcast, type, handler);
      for (const type of handler.commands ?? []) {
        if (this.owners.has(type)) throw new Error(`Command ${type} is owned by two handlers.`);
        this.owners.set(type, handler);
      }
      if (options.isShard) for (const key of handler.sharedKeys ?? []) this.slotFor(handler, key);
    }
  }

  get names(): string[] {
    return [...this.handlers.keys()];
  }

  has(name: string): boolean {
    return this.handlers.has(name);
  }

  handler(name: string): Handler {
    const handler = this.handlers.get(name);
    if (!handler) throw new Error(`No handler is named "${name}"; there are: ${this.names.join(', ')}.`);
    return handler;
  }

  owner(commandType: string): Handler | undefined {
    return this.owners.get(commandType);
  }

  /** Every (handler, key) that an event goes to, in a fixed order. */
  targets(event: AnyEvent): readonly Target[] {
    // It exists for one handler and key alone, named in its data.
    if (event.type === 'deadline.reached') {
      const handler = this.handlers.get(event.data.handler);
      return handler ? [{ handler, key: event.data.handlerKey }] : [];
    }
    let routes = this.routes.get(event.type);
    if (!routes) this.routes.set(event.type, (routes = { byKey: new Map(), lastKey: null, lastTargets: [] }));
    if (routes.lastKey === event.key) return routes.lastTargets;
    let targets = routes.byKey.get(event.key);
    if (!targets) routes.byKey.set(event.key, (targets = this.targetsOf(event.type, event.key)));
    routes.lastKey = event.key;
    return (routes.lastTargets = targets);
  }

  /** Delivers one event to one handler and key. */
  deliver(target: Target, event: AnyEvent): Outcome | DeliveryFailure {
    const slot = (target.slot ??= this.slotFor(target.handler, target.key));
    if (!this.isGuarded) return this.runUnguarded(slot, target.handler, event);
    // The same for all its targets: it is kept by each of them.
    if (this.lastDelivery?.event !== event) this.lastDelivery = { event };
    return this.run(slot, target.handler, this.lastDelivery);
  }

  /** Lets the owner decide a command that was sent while `cause` was handled; `sender` tells two such commands apart. */
  execute(command: AnyCommand, cause: AnyEvent, sender: string): Outcome | DeliveryFailure {
    const handler = this.owners.get(command.type);
    if (!handler?.execute) throw new Error(`No handler owns the command ${command.type}.`);
    return this.run(this.slotFor(handler, command.key), handler, { event: cause, command }, sender);
  }

  /** Tells a handler that its key is parked because of `event`; null when it has nothing to end. */
  park(handler: Handler, key: string, event: AnyEvent): Outcome | DeliveryFailure | null {
    return handler.parked ? this.run(this.slotFor(handler, key), handler, { event, isPark: true }, 'park') : null;
  }

  states(): HandlerState[] {
    const all: HandlerState[] = [];
    for (const [handler, keys] of this.orderedKeys) {
      for (const key of keys) {
        const slot = this.slotOf(handler, key);
        if (slot) all.push({ handler, key, state: slot.state, now: slot.now });
      }
    }
    return all;
  }

  state<S>(handler: string, key: string): S | undefined {
    return this.slotOf(handler, key)?.state as S | undefined;
  }

  restore(states: readonly HandlerState[]): void {
    for (const { handler, key, state, now } of states) {
      if (!this.handlers.has(handler)) continue;
      this.open(this.handler(handler), key, state, now);
    }
  }

  /** What the state hash sees of every handler and key (rule 6). */
  hashViews(): Record<string, unknown> {
    const views: Record<string, unknown> = {};
    for (const { handler, key, state } of this.states()) {
      const view = this.handler(handler).hashView;
      views[`${handler}/${key}`] = view ? view(state) : state;
    }
    return views;
  }

  /** Most of what happens in a replay: an event for a handler, of which nothing is kept. @throws UnguardedFailure */
  private runUnguarded(slot: Slot, handler: Handler, event: AnyEvent): Outcome {
    const outbox = outboxFor(slot, event);
    try {
      handler.handle(event, slot.state, outbox);
      if (!outbox.isEmpty) this.check(handler, outbox);
    } catch (thrown) {
      throw new UnguardedFailure({ handler: handler.name, key: slot.key, event, error: asError(thrown) });
    }
    return outbox;
  }

  /** @throws an Error for what no handler may emit or send */
  private check(handler: Handler, outbox: CollectingOutbox): void {
    for (const emitted of outbox.events) validateEmitted(emitted);
    if (handler.role === 'agent' && outbox.commands.length > 0)
      throw new Error('An agent sends no commands: it emits opinions only.');
  }

  private run(slot: Slot, handler: Handler, delivery: Delivery, sender?: string): Outcome | DeliveryFailure {
    const { event } = delivery;
    const before = slot.now;
    const outbox = outboxFor(slot, event, sender);
    try {
      apply(handler, slot.state, delivery, outbox);
      this.check(handler, outbox);
    } catch (thrown) {
      slot.outbox = slot.outbox.fresh();
      const error = asError(thrown);
      const failure = { handler: handler.name, key: slot.key, event, command: delivery.command, sender, error };
      if (!this.isGuarded) throw new UnguardedFailure(failure);
      slot.now = before;
      slot.state = this.rebuild(handler, slot);
      slot.base = JSON.stringify(slot.state);
      slot.since = [];
      return failure;
    }
    if (this.isGuarded) this.remember(slot, delivery);
    return outbox;
  }

  private remember(slot: Slot, delivery: Delivery): void {
    slot.since.push(delivery);
    if (slot.since.length >= BASE_AFTER.atLeast && slot.since.length >= baseAfter(slot)) {
      slot.base = JSON.stringify(slot.state);
      slot.since = [];
    }
  }

  /** The state before the delivery that threw: the base, and everything since handled again without outputs. */
  private rebuild(handler: Handler, slot: Slot): unknown {
    const state: unknown = JSON.parse(slot.base);
    for (const delivery of slot.since) {
      const outbox = new CollectingOutbox(handler.name, slot.key);
      outbox.begin(delivery.event.occurredAt, delivery.event);
      apply(handler, state, delivery, outbox);
    }
    return state;
  }

  private slotOf(handler: string, key: string): Slot | undefined {
    return this.slots.get(handler)?.get(key);
  }

  private slotFor(handler: Handler, key: string): Slot {
    return this.slotOf(handler.name, key) ?? this.open(handler, key, handler.initialState(key), 0);
  }

  private open(handler: Handler, key: string, state: unknown, now: number): Slot {
    const base = this.isGuarded ? JSON.stringify(state) : '';
    const slot: Slot = { key, state, now, base, since: [], outbox: new CollectingOutbox(handler.name, key) };
    this.slots.get(handler.name)?.set(key, slot);
    const keys = this.orderedKeys.get(handler.name) ?? [];
    if (!keys.includes(key)) this.orderedKeys.set(handler.name, [...keys, key].sort());
    // Routes remember slots, and a new key may be among the targets of a broadcast.
    this.routes = new Map();
    return slot;
  }

  private targetsOf(type: EventType, eventKey: string): Target[] {
    const targets: Target[] = [];
    for (const handler of this.keyed.get(type) ?? []) targets.push({ handler, key: eventKey });
    for (const handler of this.broadcast.get(type) ?? []) {
      const isKeyed = handler.consumes.includes(type);
      for (const key of this.orderedKeys.get(handler.name) ?? []) {
        if (!isKeyed || key !== eventKey) targets.push({ handler, key });
      }
    }
    return targets;
  }
}

export function isFailure(result: Outcome | DeliveryFailure): result is DeliveryFailure {
  return !(result instanceof CollectingOutbox);
}

/** The slot's outbox, empty and begun; the slot's time is moved on to the event's. */
function outboxFor(slot: Slot, event: AnyEvent, sender?: string): CollectingOutbox {
  if (event.occurredAt > slot.now) slot.now = event.occurredAt;
  if (!slot.outbox.isEmpty) slot.outbox = slot.outbox.fresh();
  slot.outbox.begin(slot.now, event, sender);
  return slot.outbox;
}

function baseAfter({ base }: Slot): number {
  return Math.min(BASE_AFTER.atMost, base.length / BASE_BLOCK);
}

function apply(handler: Handler, state: unknown, delivery: Delivery, outbox: Outbox): void {
  if (delivery.isPark) handler.parked?.(state, outbox);
  else if (!delivery.command) handler.handle(delivery.event, state, outbox);
  else if (handler.execute) handler.execute(delivery.command, state, outbox);
}

function push<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key);
  if (list) list.push(value);
  else map.set(key, [value]);
}

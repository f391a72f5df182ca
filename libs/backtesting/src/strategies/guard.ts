import {
  validateData,
  withEventType,
  type AnyEvent,
  type EmitData,
  type EventType,
  type JsonObject,
} from '@moon/events';
import { assertPlainState, type AnyCommand, type Handler, type Outbox } from '@moon/domain';
import type { Strategy } from './load-strategies';
import type { StrategyWatch } from './strategy-watch';

/** What a strategy may say. Everything else is somebody's decision or record, and would be taken for it. */
const MAY_EMIT: ReadonlySet<EventType> = new Set<EventType>(['signal.generated', 'inference.requested']);
/** The state is looked at after each of the first deliveries of a handler, then after every so many. */
const STATE_CHECKS = { first: 64, every: 1_024 } as const;

/** What went wrong with one strategy in a run: its deliveries were skipped (rule 25), or the run was ended. */
export interface StrategyFailures {
  strategy: string;
  handler: string;
  /** Deliveries that failed and were skipped. */
  count: number;
  first: { eventId: string; type: string; at: number; message: string };
}

/** A breach that no skipping mends: the run ends. */
export class StrategyBroken extends Error {
  override readonly name = 'StrategyBroken';
}

/**
 * Strategies with a fence around them: they see events that cannot be changed, say opinions under their own name about
 * the token in their hands, and keep a state that is plain JSON.
 */
export class StrategyGuard {
  readonly handlers: readonly Handler[];
  /** Set when the run cannot go on. */
  broken: StrategyBroken | null = null;
  private readonly found = new Map<string, StrategyFailures>();
  private readonly owners = new Map<string, Strategy>();

  constructor(
    strategies: readonly Strategy[],
    private readonly watch?: StrategyWatch,
  ) {
    let index = 0;
    for (const { name } of strategies) watch?.expect(name);
    for (const strategy of strategies) for (const { name } of strategy.handlers) this.owners.set(name, strategy);
    this.handlers = strategies.flatMap((strategy) =>
      strategy.handlers.map((handler) => this.fence(strategy, handler, index++)),
    );
  }

  /** What failed so far, handler by handler. */
  get failures(): StrategyFailures[] {
    return [...this.found.values()].map((failure) => ({ ...failure }));
  }

  /** To be called with every state at the end of a run: the looks during the run are samples. @throws StrategyBroken */
  checkStates(states: readonly { handler: string; state: unknown }[]): void {
    for (const { handler, state } of states) {
      const strategy = this.owners.get(handler);
      if (strategy) this.checkState(strategy, handler, state);
    }
  }

  private fence(strategy: Strategy, handler: Handler, index: number): Handler {
    const box = new FencedOutbox(strategy.name, this.watch);
    let handled = 0;
    const handle = (event: AnyEvent, state: unknown, out: Outbox): void => {
      freeze(event.data);
      const { type, key, occurredAt, data } = event;
      this.watch?.enter(index, occurredAt);
      box.inner = out;
      try {
        const returned: unknown = handler.handle(event, state, box);
        if (returned !== undefined) refuseReturned(returned);
        if (event.type !== type || event.key !== key || event.occurredAt !== occurredAt || event.data !== data) {
          Object.assign(event, { type, key, occurredAt, data });
          throw new Error('It changed the event in its hands; an event is what happened, and stays as it is.');
        }
        handled += 1;
        if (handled <= STATE_CHECKS.first || handled % STATE_CHECKS.every === 0)
          this.checkState(strategy, handler.name, state);
      } catch (error) {
        throw this.note(strategy, handler, event, error);
      } finally {
        box.inner = null;
        this.watch?.leave();
      }
    };
    return { ...unbound(handler), handle };
  }

  private checkState(strategy: Strategy, handler: string, state: unknown): void {
    try {
      assertPlainState(state, handler);
    } catch (error) {
      const what = error instanceof Error ? error.message : String(error);
      this.broken ??= new StrategyBroken(
        `Strategy ${strategy.path}: ${what} A state is made of objects, arrays, text, finite numbers, booleans and null: ` +
          'it is copied, stored and hashed as JSON.',
      );
      throw this.broken;
    }
  }

  private note(strategy: Strategy, handler: Handler, event: AnyEvent, thrown: unknown): Error {
    const error =
      thrown instanceof Error ? thrown : new Error((thrown as { message?: string } | null)?.message ?? String(thrown));
    const known = this.found.get(handler.name);
    if (known) known.count += 1;
    else {
      const place = strategy.placeOf?.(thrown) ?? null;
      const first = {
        eventId: event.id,
        type: event.type,
        at: event.occurredAt,
        message: placed(error.message, place),
      };
      this.found.set(handler.name, { strategy: strategy.name, handler: handler.name, count: 1, first });
    }
    return error;
  }
}

/** A message with the place in the strategy's file that it comes from. */
function placed(message: string, place: string | null): string {
  return place === null ? message : `${message.replace(/\.$/, '')} (${place}).`;
}

/** The handler's members, with methods of a class bound to it. */
function unbound(handler: Handler): Handler {
  const { name, role, partitionedBy, consumes, broadcast } = handler;
  return {
    ...{ name, role, partitionedBy, consumes },
    ...(broadcast && { broadcast }),
    initialState: (key) => handler.initialState(key) as unknown,
    handle: () => undefined,
    ...(handler.hashView && { hashView: (state) => handler.hashView?.(state) }),
  };
}

/** Passes on what a strategy may say, while it has an event in its hands. */
class FencedOutbox implements Outbox {
  inner: Outbox | null = null;

  constructor(
    private readonly voter: string,
    private readonly watch?: StrategyWatch,
  ) {}

  get now(): number {
    return this.present.now;
  }

  get key(): string {
    return this.present.key;
  }

  private get present(): Outbox {
    if (this.inner) return this.inner;
    throw new Error('The outbox is only there while an event is handled; keep nothing of it for later.');
  }

  emit<T extends EventType>(type: T, data: EmitData<T>, key?: string): void {
    const { present, voter } = this;
    if (!MAY_EMIT.has(type))
      throw new Error(`It emitted ${type}; a strategy emits ${[...MAY_EMIT].join(' and ')} only.`);
    const { token, agent } = data as { token?: unknown; agent?: unknown };
    if (token !== present.key || (key !== undefined && key !== present.key))
      throw new Error(
        `It spoke about ${String(key ?? token)} while it handled ${present.key}; a strategy speaks about the token of its event.`,
      );
    if (agent !== voter)
      throw new Error(
        `It spoke as "${String(agent)}"; it was loaded as "${voter}", the name that createAgents is given.`,
      );
    validateData(type, withEventType(type, data));
    present.emit(type, data, key);
    if (type === 'signal.generated') this.watch?.spoke(voter);
  }

  send(command: AnyCommand): void {
    throw new Error(`It sent the command ${command.type}; a strategy emits opinions only.`);
  }

  schedule(name: string, at: number, data?: JsonObject): void {
    this.present.schedule(name, at, data);
  }

  cancel(name: string): void {
    this.present.cancel(name);
  }
}

function refuseReturned(returned: unknown): void {
  if (typeof (returned as { then?: unknown } | null)?.then !== 'function') return;
  throw new Error('It returned a promise; a handler answers at once, and waits by out.schedule.');
}

/** Makes data unchangeable, however deep. */
function freeze(value: object): void {
  if (Object.isFrozen(value)) return;
  Object.freeze(value);
  for (const name in value) {
    const inner: unknown = (value as Record<string, unknown>)[name];
    if (typeof inner === 'object' && inner !== null) freeze(inner);
  }
}

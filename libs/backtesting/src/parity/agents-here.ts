import type { AnyEvent } from '@moon/events';
import type { Handler } from '@moon/domain';
import {
  failureEvents,
  HandlerHost,
  isFailure,
  type Cause,
  type Delivered,
  type HandlerState,
  type RemoteHandlers,
} from '@moon/kernel';
import type { IsSkipped } from './emissions';

type Target = Parameters<HandlerHost['deliver']>[0];

/** Takes over what an agent made, as the engine takes it from a thread. */
type Accept = (delivered: Delivered, cause: Cause) => void;

/**
 * The agents of a run on this thread, behind the same door as their threads: they get every event in the order of the
 * log, and what they make goes through `Engine.accept`. Only the wait in between is missing.
 */
export class AgentsHere implements RemoteHandlers {
  private readonly host: HandlerHost;

  constructor(
    handlers: readonly Handler[],
    private readonly isSkipped: IsSkipped,
    private readonly accept: Accept,
  ) {
    this.host = new HandlerHost(handlers);
  }

  has(name: string): boolean {
    return this.host.has(name);
  }

  handler(name: string): Handler {
    return this.host.handler(name);
  }

  post(seq: number, event: AnyEvent): void {
    for (const target of this.host.targets(event)) this.deliver(target, { seq, event });
  }

  redeliver(seq: number, record: Extract<AnyEvent, { type: 'event.replayed' }>, original: AnyEvent): void {
    const { handler, handlerKey: key } = record.data;
    if (!this.host.has(handler)) return;
    const event = { ...original, headers: record.headers };
    this.deliver({ handler: this.host.handler(handler), key }, { seq, event, record });
  }

  states(): HandlerState[] {
    return this.host.states();
  }

  restore(states: readonly HandlerState[]): void {
    this.host.restore(states);
  }

  private deliver(target: Target, { seq, event, record }: { seq: number; event: AnyEvent; record?: AnyEvent }): void {
    const { handler, key } = target;
    if (this.isSkipped(handler.name, key, seq)) return;
    const result = this.host.deliver(target, event);
    const delivered: Delivered = isFailure(result)
      ? { handler: handler.name, key, events: failureEvents(result, handler, seq, record), commands: [], deadlines: [] }
      : { handler: handler.name, key, events: result.events, commands: [], deadlines: result.deadlines };
    if (delivered.events.length + delivered.deadlines.length === 0) return;
    this.accept(delivered, event);
  }
}

import { derivedId, type AnyEvent, type EmitData, type EventType } from '@moon/events';
import { RULE_BASED_MODEL, RULE_BASED_PROVIDER, ruleBasedModel } from '../models';
import { recordOutbox, testEvent, type Handler, type JsonObject } from '../handler';

/** Answers an event from outside, as an adapter does; null = not its business. */
export type Adapter = (event: AnyEvent) => { type: EventType; data: object } | null;

interface Due {
  handler: Handler;
  name: string;
  at: number;
  data: JsonObject;
}

/** A few handlers wired together for one token, for specs: every output goes to the end of one queue, deadlines fire in event time. */
export interface Ensemble {
  /** Hands in an input and everything that follows from it. */
  feed(event: AnyEvent): void;
  stateOf<S>(handler: Handler<S>): S;
}

/**
 * @param seen called for every event that is dispatched, inputs and outputs, in dispatch order
 */
export function ensemble(
  token: string,
  handlers: readonly Handler[],
  adapter: Adapter,
  seen: (event: AnyEvent) => void,
): Ensemble {
  const states = new Map<Handler, unknown>(handlers.map((handler) => [handler, handler.initialState(token)]));
  const queue: AnyEvent[] = [];
  let deadlines: Due[] = [];

  const deliver = (handler: Handler, event: AnyEvent): void => {
    const box = recordOutbox(event.occurredAt, token);
    box.schedule = (name, at, data = {}) => {
      box.cancel(name);
      deadlines.push({ handler, name, at, data });
    };
    box.cancel = (name) => void (deadlines = deadlines.filter((due) => due.handler !== handler || due.name !== name));
    handler.handle(event, states.get(handler), box);
    box.emitted.forEach(({ type, data }, ordinal) => queue.push(follow(event, handler.name, ordinal, type, data)));
  };
  const dispatch = (event: AnyEvent): void => {
    seen(event);
    for (const handler of handlers) {
      const wants = handler.consumes.includes(event.type) || handler.broadcast?.includes(event.type) === true;
      if (wants) deliver(handler, event);
    }
    const answer = adapter(event);
    if (answer !== null) queue.push(follow(event, 'adapter', 0, answer.type, answer.data));
  };
  const drain = (): void => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) dispatch(next);
  };
  const fire = (before: number): void => {
    for (;;) {
      const due = deadlines.filter(({ at }) => at < before).sort((a, b) => a.at - b.at)[0];
      if (due === undefined) return;
      deadlines = deadlines.filter((one) => one !== due);
      const data = { handler: due.handler.name, handlerKey: token, name: due.name, dueAt: due.at, data: due.data };
      deliver(due.handler, testEvent('deadline.reached', due.at, data));
      drain();
    }
  };
  return {
    feed: (event) => {
      fire(event.occurredAt);
      queue.push(event);
      drain();
    },
    stateOf: <S>(handler: Handler<S>) => states.get(handler) as S,
  };
}

/** The model adapter without a key: the rule-based model answers every question at once. */
export const answerByRules: Adapter = (event) => {
  if (event.type !== 'inference.requested') return null;
  const { token, inferenceId, agent, timestamp } = event.data;
  const model = { model: RULE_BASED_MODEL, provider: RULE_BASED_PROVIDER };
  const data = {
    token,
    inferenceId,
    agent,
    ...model,
    status: 'ok',
    answer: ruleBasedModel(event.data),
    latencyMs: 0,
    timestamp,
  };
  return { type: 'inference.completed', data };
};

/** An event that follows from another, with its derived id and its cause's time. */
function follow(cause: AnyEvent, by: string, ordinal: number, type: EventType, data: object): AnyEvent {
  const id = derivedId(cause.id, by, ordinal);
  return testEvent(type, cause.occurredAt, data as EmitData<EventType>, {
    id,
    source: by,
    causationId: cause.id,
    correlationId: cause.correlationId,
  });
}

/** A one-minute bar of BTC as it enters the platform; stamps are epoch ms. */
export function minuteBar(
  openedAt: number,
  prices: { open: number; high: number; low: number; close: number; volume?: number },
  where: { token?: string; instrument?: string; warmup?: boolean } = {},
): AnyEvent {
  const { token = 'BTC', instrument = 'BTCUSDT.BINANCE-SPOT', warmup = false } = where;
  const timestamp = openedAt + 60_000;
  const data = { token, instrument, intervalMs: 60_000, volume: 1, ...prices, timestamp, openedAt };
  return testEvent('bar.closed', timestamp, data, warmup ? { headers: { warmup: true } } : {});
}

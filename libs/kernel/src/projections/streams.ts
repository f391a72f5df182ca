import type { AnyEvent, JsonObject } from '@moon/events';
import { evolveOrder, type OrderState } from '@moon/domain';
import { factsOf, type StreamView } from './projection';

const GLOBAL_HALTS = 'halts-global';
const AUDIT = 'audit';
const PORTFOLIO = 'portfolio-';

/** A stream itself, or one shard's part of it. */
const isPartOf = (stream: string, streamId: string): boolean =>
  streamId === stream || streamId.startsWith(`${stream}@`);

/** `order:ID`: an order from its request to its end, without the signed bytes, which are the sender's business. */
const orders: StreamView<OrderState> = {
  reads: (streamId) => streamId.startsWith('order-'),
  evolve: (state, event) => evolveOrder(state, event),
  show: ({ payload: _payload, signature: _signature, ...order }) => ({
    key: `order:${order.orderId}`,
    value: order as unknown as JsonObject,
  }),
};

interface ConsensusState {
  token: string;
  status: 'open' | 'approved' | 'failed';
  /** The event that made it so. */
  last: JsonObject;
}

const CONSENSUS_STATUS = {
  'consensus.opened': 'open',
  'trade.consensus_approved': 'approved',
  'signal.consensus_failed': 'failed',
} as const;

/** `consensus:TOKEN`: the newest window of a token, open or decided, with its whole decision. */
const consensus: StreamView<ConsensusState> = {
  reads: (streamId) => streamId.startsWith('consensus-'),
  evolve: (state, event) => {
    switch (event.type) {
      case 'consensus.opened':
      case 'trade.consensus_approved':
      case 'signal.consensus_failed':
        return { token: event.data.token, status: CONSENSUS_STATUS[event.type], last: factsOf(event) };
      default:
        return state;
    }
  },
  show: ({ token, status, last }) => ({ key: `consensus:${token}`, value: { status, ...last } }),
};

interface HaltsState {
  halts: JsonObject[];
}

/**
 * `halts:global` and `halts:PORTFOLIO`: the set of what halts trading (rule 18), in the order in which it was raised. Of a
 * distributed run each shard has its own global part, `halts:global@SHARD`; trading is halted when one of them is not empty.
 */
const halts: StreamView<HaltsState> = {
  reads: (streamId) => isPartOf(GLOBAL_HALTS, streamId) || streamId.startsWith(PORTFOLIO),
  evolve: (state, event) => {
    const raised = state?.halts ?? [];
    switch (event.type) {
      case 'portfolio.opened':
        return state ?? { halts: [] };
      case 'halt.raised': {
        const { source, scope, reason, detail, timestamp } = event.data;
        const halt: JsonObject = { source, scope, reason, since: timestamp };
        if (detail !== undefined) halt.detail = detail;
        return { halts: [...without(raised, event.data), halt] };
      }
      case 'halt.lifted':
        return { halts: without(raised, event.data) };
      default:
        return state;
    }
  },
  show: (state, streamId) => ({
    key: streamId.startsWith(PORTFOLIO)
      ? `halts:${streamId.slice(PORTFOLIO.length)}`
      : `halts:global${streamId.slice(GLOBAL_HALTS.length)}`,
    value: { halts: state.halts },
  }),
};

function without(raised: readonly JsonObject[], halt: { source: string; reason: string }): JsonObject[] {
  return raised.filter(({ source, reason }) => source !== halt.source || reason !== halt.reason);
}

interface ParkedState {
  parked: JsonObject[];
}

/** `operations:parked`: the keys of handlers whose events queue until somebody sees to them (rule 25). */
const parked: StreamView<ParkedState> = {
  reads: (streamId) => isPartOf(AUDIT, streamId),
  evolve: (state, event) => {
    if (event.type !== 'key.parked' && event.type !== 'key.unparked') return state;
    const { handler, handlerKey } = event.data;
    const others = (state?.parked ?? []).filter((one) => one.handler !== handler || one.handlerKey !== handlerKey);
    return { parked: event.type === 'key.parked' ? [...others, parkedKey(event)] : others };
  },
  show: (state, streamId) => ({
    key: `operations:parked${streamId.slice(AUDIT.length)}`,
    value: { parked: state.parked },
  }),
};

function parkedKey({ data }: Extract<AnyEvent, { type: 'key.parked' }>): JsonObject {
  const { handler, handlerKey, eventId, error, timestamp } = data;
  return { handler, handlerKey, eventId, ...(error !== undefined && { error }), since: timestamp };
}

/** Every view that is folded from a stream of the store. */
export const STREAM_VIEWS = [orders, consensus, halts, parked] as readonly StreamView[];

/** The stream from which a key is folded; null for keys that are folded from something else. */
export function streamOfKey(key: string): string | null {
  const at = key.indexOf(':');
  const [kind, name] = [key.slice(0, at), key.slice(at + 1)];
  switch (kind) {
    case 'order':
    case 'consensus':
      return `${kind}-${name}`;
    case 'parked':
      return name;
    case 'halts':
      return isPartOf('global', name) ? GLOBAL_HALTS + name.slice('global'.length) : PORTFOLIO + name;
    case 'operations':
      return isPartOf('parked', name) ? AUDIT + name.slice('parked'.length) : null;
    default:
      return null;
  }
}

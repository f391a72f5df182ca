import type { AnyEvent, EventData } from '@moon/events';
import type { TradeOrigin } from '@moon/domain';

/** What an order came from; without the event that executed it. */
export type OrderOrigin = Omit<TradeOrigin, 'eventId'>;

/** Decisions that are remembered: the order follows its decision at once, so a few would do. */
const REMEMBERED_DECISIONS = 256;
/** Orders without an end that are remembered; far more than can be open at one time. */
const REMEMBERED_ORDERS = 20_000;

const NOBODY: TradeOrigin['agents'] = [];

/**
 * Follows every order back to what decided it: the consensus with the share of each vote, one agent's signal, an
 * operator, a force close. Bounded: a decision is forgotten soon, an order with its end.
 */
export class Origins {
  private readonly decisions = new Map<string, TradeOrigin['agents']>();
  private readonly orders = new Map<string, OrderOrigin>();

  observe(event: AnyEvent): void {
    switch (event.type) {
      case 'trade.consensus_approved':
        return remember(this.decisions, event.id, sharesOf(event.data), REMEMBERED_DECISIONS);
      case 'signal.generated':
        // An answer to a window never trades by itself (rule 20).
        if (event.data.windowId === undefined && event.data.action !== 'HOLD')
          remember(this.decisions, event.id, [{ agent: event.data.agent, share: 1 }], REMEMBERED_DECISIONS);
        return;
      case 'order.requested':
        return remember(this.orders, event.data.order_id, this.originOf(event.data), REMEMBERED_ORDERS);
      case 'trade.rejected':
      case 'trade.cancelled':
      case 'trade.expired':
        this.orders.delete(event.data.order_id);
        return;
      default:
        return;
    }
  }

  /** The origin of an order; null when it is not known. */
  of(orderId: string): OrderOrigin | null {
    return this.orders.get(orderId) ?? null;
  }

  /** The order has ended; its origin is asked for no more. */
  forget(orderId: string): void {
    this.orders.delete(orderId);
  }

  private originOf({ order_id: orderId, origin, approvalId }: EventData<'order.requested'>): OrderOrigin {
    const agents = this.decisions.get(approvalId) ?? NOBODY;
    const reason = REASON[origin];
    return { orderId, reason, decisionId: approvalId, agents };
  }
}

const REASON = {
  consensus: 'consensus',
  agent: 'signal',
  force_close: 'force_close',
  operator: 'operator',
  target: 'other',
} as const satisfies Record<EventData<'order.requested'>['origin'], TradeOrigin['reason']>;

function remember<T>(map: Map<string, T>, key: string, value: T, most: number): void {
  map.set(key, value);
  // In blocks: after every single removal the next oldest would be looked for behind the places of all removed ones.
  if (map.size <= 2 * most) return;
  for (const oldest of map.keys()) {
    if (map.size <= most) return;
    map.delete(oldest);
  }
}

/** Shares of weight × confidence × score of the counted votes for the approved action. */
function sharesOf({ decision, recommended_action }: EventData<'trade.consensus_approved'>): TradeOrigin['agents'] {
  const weights = decision.votes
    .filter(({ counted, action }) => counted && action === recommended_action)
    .map(({ agent, weight, confidence, score }) => ({ agent, weight: weight * confidence * score }))
    .filter(({ weight }) => weight > 0);
  const total = weights.reduce((sum, { weight }) => sum + weight, 0);
  return weights.map(({ agent, weight }) => ({ agent, share: weight / total }));
}

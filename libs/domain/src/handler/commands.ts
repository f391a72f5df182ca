import type { EventData } from '@moon/events';

type OrderRequest = EventData<'order.requested'>;

/** Asks the owner of a portfolio to reserve and request one order. Ids are derived from the approval (rule 16). */
export interface PlaceOrder {
  type: 'PlaceOrder';
  /** The portfolio. */
  key: string;
  orderId: string;
  portfolio: string;
  token: string;
  instrument: string;
  side: OrderRequest['side'];
  /** Decimal string, in lots of the instrument. */
  quantity: string;
  orderType: OrderRequest['order_type'];
  limitPrice?: string;
  stopPrice?: string;
  timeInForce: OrderRequest['timeInForce'];
  reduceOnly: boolean;
  priority: OrderRequest['priority'];
  origin: OrderRequest['origin'];
  approvalId: string;
  /** How the quantity came about; kept for the audit trail. */
  sizing: OrderRequest['sizing'];
}

export interface CancelOrder {
  type: 'CancelOrder';
  key: string;
  orderId: string;
  reason: string;
}

/** Adds (source, scope, reason) to the set of halts (rule 18). `key` is the portfolio, or 'global' for the global scope. */
export interface RaiseHalt {
  type: 'RaiseHalt';
  key: string;
  source: string;
  scope: 'portfolio' | 'global';
  reason: string;
  detail?: string;
}

/** Removes the halt that the same source raised; other sources' halts stay. */
export interface LiftHalt {
  type: 'LiftHalt';
  key: string;
  source: string;
  scope: 'portfolio' | 'global';
  reason: string;
}

/** Asks the owner to close one position reduce-only; the force-close saga numbers its attempts. */
export interface ClosePosition {
  type: 'ClosePosition';
  key: string;
  portfolio: string;
  instrument: string;
  origin: OrderRequest['origin'];
  priority: OrderRequest['priority'];
  reason: string;
  sagaId: string;
  attempt: number;
}

export type AnyCommand = PlaceOrder | CancelOrder | RaiseHalt | LiftHalt | ClosePosition;
export type CommandType = AnyCommand['type'];

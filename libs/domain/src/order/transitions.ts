/** Where an order stands. `unknown`: it was sent, and nobody has answered what became of it. */
export type OrderStatus =
  | 'requested'
  | 'approved'
  | 'submitted'
  | 'accepted'
  | 'partially_filled'
  | 'filled'
  | 'rejected'
  | 'cancelled'
  | 'expired'
  | 'unknown';

/** What moves an order: its event types, with a fill told apart by whether it completes the order. */
export type OrderInput =
  | 'order.requested'
  | 'order.approved'
  | 'order.submitted'
  | 'order.outcome_unknown'
  | 'order.cancel_requested'
  | 'trade.placed'
  | 'trade.executed:PARTIALLY_FILLED'
  | 'trade.executed:FILLED'
  | 'trade.rejected'
  | 'trade.cancelled'
  | 'trade.expired';

type Row = Readonly<Partial<Record<OrderInput, OrderStatus>>>;

/** A fill that arrives while the order still works, or before anyone said that it does. */
const FILLS: Row = {
  'trade.executed:PARTIALLY_FILLED': 'partially_filled',
  'trade.executed:FILLED': 'filled',
};

/** What the venue may say of an order that was sent and not yet acknowledged. */
const SENT: Row = {
  ...FILLS,
  'order.submitted': 'submitted',
  'trade.placed': 'accepted',
  'trade.rejected': 'rejected',
  'trade.cancelled': 'cancelled',
  'trade.expired': 'expired',
};

/** What the sender wrote while an answer or an end was on its way: it stands in the stream and changes nothing. */
const senderNews = (status: OrderStatus): Row => ({ 'order.submitted': status, 'order.outcome_unknown': status });

/**
 * Every legal transition of an order: status → input → next status. What is not in it is refused.
 *
 * A venue's messages come late and out of order, hence: a fill before the acceptance, an acceptance after a fill, and a
 * fill after the order was reported cancelled, expired or rejected – that fill happened, so it is booked; the order goes
 * on being over unless the fill completes it. `none` is an order that does not exist yet.
 */
export const TRANSITIONS: Readonly<Record<OrderStatus | 'none', Row>> = {
  none: { 'order.requested': 'requested' },
  requested: {
    'order.approved': 'approved',
    'order.cancel_requested': 'requested',
    'trade.rejected': 'rejected',
    'trade.cancelled': 'cancelled',
  },
  approved: {
    ...SENT,
    'order.cancel_requested': 'approved',
  },
  submitted: {
    ...SENT,
    'order.cancel_requested': 'submitted',
    'order.outcome_unknown': 'unknown',
  },
  unknown: {
    ...SENT,
    'order.cancel_requested': 'unknown',
    'order.outcome_unknown': 'unknown',
  },
  accepted: {
    ...senderNews('accepted'),
    ...FILLS,
    'order.cancel_requested': 'accepted',
    'trade.rejected': 'rejected',
    'trade.cancelled': 'cancelled',
    'trade.expired': 'expired',
  },
  partially_filled: {
    ...senderNews('partially_filled'),
    ...FILLS,
    'order.cancel_requested': 'partially_filled',
    'trade.placed': 'partially_filled',
    'trade.cancelled': 'cancelled',
    'trade.expired': 'expired',
  },
  filled: { ...senderNews('filled'), 'trade.placed': 'filled' },
  rejected: {
    ...senderNews('rejected'),
    'trade.placed': 'rejected',
    'trade.executed:PARTIALLY_FILLED': 'cancelled',
    'trade.executed:FILLED': 'filled',
  },
  cancelled: {
    ...senderNews('cancelled'),
    'trade.placed': 'cancelled',
    'trade.executed:PARTIALLY_FILLED': 'cancelled',
    'trade.executed:FILLED': 'filled',
  },
  expired: {
    ...senderNews('expired'),
    'trade.placed': 'expired',
    'trade.executed:PARTIALLY_FILLED': 'expired',
    'trade.executed:FILLED': 'filled',
  },
};

const TERMINAL: ReadonlySet<OrderStatus> = new Set<OrderStatus>(['filled', 'rejected', 'cancelled', 'expired']);

/** Whether the order works no more: nothing of it can be cancelled or sent. A late fill may still be booked. */
export function isTerminal(status: OrderStatus): boolean {
  return TERMINAL.has(status);
}

/** A stream holds an event that the order's status forbids: the stream is corrupt, or its writer has a bug. */
export class IllegalOrderTransition extends Error {
  constructor(
    readonly orderId: string,
    readonly status: OrderStatus | 'none',
    readonly input: string,
  ) {
    super(`Order ${orderId} is "${status}" and cannot take ${input}; TRANSITIONS lists what it can.`);
    this.name = 'IllegalOrderTransition';
  }
}

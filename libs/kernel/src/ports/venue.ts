import type { AnyEvent, EmitData } from '@moon/events';
import type { Decimal } from '@moon/domain';

/** A value now or a promise of it: in-process venues answer at once, remote ones later. */
export type Awaitable<T> = T | Promise<T>;

/** What a venue reports: the data of a `venue.report` event. `timestamp` is when it reaches the platform (feed time, ms). */
export type VenueReport = EmitData<'venue.report'>;

export type AccountModel = EmitData<'portfolio.opened'>['accountModel'];
export type MarginMode = NonNullable<EmitData<'portfolio.opened'>['marginMode']>;

/** A position that an account starts with (rule 14): the venue books it too. */
export interface InitialPosition {
  instrument: string;
  side: 'long' | 'short';
  quantity: Decimal;
  /** Entry price. */
  price: Decimal;
  /** Isolated margin, in settlement asset; default: notional ÷ leverage. */
  margin?: Decimal;
}

/** The account behind a portfolio. Opening one twice with the same specification changes nothing. */
export interface AccountSpec {
  portfolio: string;
  accountModel: AccountModel;
  /** Only with accountModel `margin`; default `cross`. */
  marginMode?: MarginMode;
  settlementAsset: string;
  /** Places of a ledger amount; default 12. */
  ledgerScale?: number;
  /** Start balance in settlement asset, before the initial positions (their cost is not taken from it on margin accounts). */
  deposit: Decimal;
  /** Leverage per instrument id, a whole number from 1 to the instrument's highest; default 1. */
  leverage: Record<string, number>;
  positions?: InitialPosition[];
  /** Key of the account's HMAC-SHA256 signatures; without one the venue checks no signatures. */
  signingKey?: string;
  /** Feed time of the opening, ms. */
  openedAt: number;
}

/**
 * An order as it goes over the wire. `payload` is the exact text that is signed (RFC 8785 JSON of `OrderPayload`);
 * it is stored before the first send, and a resend is the same bytes (rule 17).
 */
export interface SignedOrder {
  portfolio: string;
  /** The platform's order id; the venue only echoes it in its reports. */
  orderId: string;
  clientOrderId: string;
  nonce: number;
  /** Venue time (ms) after which these bytes are refused. It is not the end of a resting order. */
  expiresAt: number;
  payload: string;
  signature: string;
}

/** What is signed for an order. */
export interface OrderPayload {
  /** The portfolio. */
  account: string;
  instrument: string;
  side: 'buy' | 'sell';
  quantity: Decimal;
  /** STOP and TAKE_PROFIT wait for `stopPrice`; then they are market orders or, with a `limitPrice`, limit orders. */
  orderType: 'MARKET' | 'LIMIT' | 'STOP' | 'TAKE_PROFIT';
  limitPrice?: Decimal;
  stopPrice?: Decimal;
  /** ALO: post-only, for LIMIT orders. */
  timeInForce: 'GTC' | 'IOC' | 'ALO';
  reduceOnly: boolean;
  clientOrderId: string;
  nonce: number;
  expiresAt: number;
  /** Feed time of the decision, ms: latency counts from here. */
  sentAt: number;
}

/** A cancellation as it goes over the wire; `payload` is the RFC 8785 JSON of `CancelPayload`. */
export interface SignedCancel {
  portfolio: string;
  /** The order to cancel. */
  clientOrderId: string;
  /** The platform's id of that order; echoed when the venue does not know it. */
  orderId?: string;
  nonce: number;
  expiresAt: number;
  payload: string;
  signature: string;
}

/** What is signed for a cancellation. */
export interface CancelPayload {
  account: string;
  action: 'cancel';
  clientOrderId: string;
  nonce: number;
  expiresAt: number;
  sentAt: number;
}

/** pending: received, still on its way to the book; open: accepted, resting or waiting; the rest is final. */
export type VenueOrderState = 'pending' | 'open' | 'filled' | 'cancelled' | 'rejected' | 'expired';

/** What a venue knows of a client order id. `known: false` is final only when `venueTime` has passed the bytes' expiry. */
export type VenueOrderStatus =
  | { known: false; venueTime: number }
  | {
      known: true;
      venueTime: number;
      orderId: string;
      /** null while pending or when the order never got one. */
      venueOrderId: string | null;
      status: VenueOrderState;
      filledQuantity: Decimal;
      /** Quantity-weighted fill price, at most 18 places; null without a fill. */
      averagePrice: Decimal | null;
      fees: Decimal;
      /** Why it was rejected, cancelled or expired. */
      code?: string;
      /** How many orders carry this client order id; above 1 the platform has doubled an order. */
      orders: number;
    };

export interface VenuePosition {
  instrument: string;
  token: string;
  /** Signed: above zero long, below zero short. */
  quantity: Decimal;
  /** Signed cost of what is held, in settlement asset (rule 13): above zero long, below zero short; inverse: the other way round. */
  costBasis: Decimal;
  /** Isolated margin; null on other accounts. */
  margin: Decimal | null;
  realisedPnl: Decimal;
  fees: Decimal;
  funding: Decimal;
}

export interface VenueOpenOrder {
  clientOrderId: string;
  orderId: string;
  venueOrderId: string;
  instrument: string;
  side: 'buy' | 'sell';
  orderType: OrderPayload['orderType'];
  quantity: Decimal;
  filledQuantity: Decimal;
  limitPrice: Decimal | null;
  stopPrice: Decimal | null;
  reduceOnly: boolean;
}

/** A venue's own books of one account, kept from its own fills: for reconciliation and the state hash. */
export interface VenueBooks {
  portfolio: string;
  venueTime: number;
  cash: Decimal;
  /** Totals over the account's life, in settlement asset; fees positive = paid, funding positive = received. */
  realisedPnl: Decimal;
  fees: Decimal;
  funding: Decimal;
  /** Sorted by instrument; flat positions are left out. */
  positions: VenuePosition[];
  /** Sorted by acceptance. */
  openOrders: VenueOpenOrder[];
  /** The newest report that was handed out; 0 = none. */
  lastVenueSeq: number;
}

/**
 * A place where orders are executed. Implemented by the paper venue (in process and as a process of its own) and by
 * real venues. Calls are made one after the other.
 *
 * Errors: `VenueTimeout` when the outcome is unknown, `VenueUnreachable` when the call certainly had no effect,
 * `VenueRefused` when the venue refused the call as a whole (bad signature, used nonce, expired bytes …): no order came
 * of this call. An order that the venue looked at and turned down is no error but a report `rejected` with its code.
 */
export interface VenuePort {
  readonly name: string;
  openAccount(spec: AccountSpec): Awaitable<void>;
  /**
   * Feeds a market event (price.tick, bar.opened, bar.closed, book.snapshot, book.delta, funding.update,
   * instrument.listed; others are ignored).
   * An event id that was handled already changes nothing and answers the same reports again. Every caller tells every event:
   * where several share the venue, the answer also names what another call handed to its caller alone.
   * Real venues have their own market and answer [].
   */
  market(event: AnyEvent): Awaitable<VenueReport[]>;
  /** Moves venue time to `ms` (never back) and fires everything due until then, in order of due time; answers its reports once. */
  advanceTo(ms: number): Awaitable<VenueReport[]>;
  /** The next time at which `advanceTo` would do something, or null. */
  nextDueAt(): Awaitable<number | null>;
  submit(order: SignedOrder): Awaitable<VenueReport[]>;
  cancel(request: SignedCancel): Awaitable<VenueReport[]>;
  /** What became of an order. Never an error for an unknown id. */
  query(portfolio: string, clientOrderId: string): Awaitable<VenueOrderStatus>;
  /** Reports of a portfolio with a venueSeq above the given one, gap-free, oldest first. */
  reportsSince(portfolio: string, venueSeq: number): Awaitable<VenueReport[]>;
  /**
   * Which market event handed out a report: venueSeq → event id, for a portfolio's reports above `venueSeq`. Reports
   * of other calls are left out. It reaches as far back as handled event ids are remembered.
   */
  marketCauses(portfolio: string, venueSeq: number): Awaitable<Record<number, string>>;
  /** Throws `VenueRefused` with code `unknown_account` for a portfolio that has no account. */
  books(portfolio: string): Awaitable<VenueBooks>;
}

/** Base of the errors of a venue call; `code` says which kind. */
export abstract class VenueError extends Error {
  abstract readonly code: string;
}

/** The call may or may not have had its effect: query by client order id, never resend blindly. */
export class VenueTimeout extends VenueError {
  override readonly name = 'VenueTimeout';
  readonly code = 'timeout';
}

/** The call certainly had no effect: it may be made again. */
export class VenueUnreachable extends VenueError {
  override readonly name = 'VenueUnreachable';
  readonly code = 'unreachable';
}

/** The venue refused the call as a whole; nothing was booked. */
export class VenueRefused extends VenueError {
  override readonly name = 'VenueRefused';
  constructor(
    /** nonce_used · nonce_too_low · expired · bad_signature · unknown_account · account_differs · malformed · reports_gone … */
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

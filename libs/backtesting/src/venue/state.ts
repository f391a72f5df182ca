import type { Decimal, Instrument } from '@moon/domain';
import type { QueuePosition } from './models/queue';
import type { AccountModel, MarginMode, OrderPayload, VenueOrderState, VenueReport } from '@moon/kernel';

/**
 * Everything the engine knows, as plain JSON: it is snapshotted, restored and compared. Times are feed time in ms.
 * Prices that decide when something happens are float64; whatever enters a ledger is a decimal string.
 */
export interface VenueState {
  schema: 1;
  /** Venue time: never runs backwards; 0 before the first input. */
  time: number;
  /** Tells agenda entries of one instant apart: the earlier made comes first. */
  made: number;
  /** Instruments that came as `instrument.listed`; they stand before the built-in ones. */
  listed: Record<string, Instrument>;
  /** By price source. */
  markets: Record<string, MarketState>;
  accounts: Record<string, AccountState>;
  /** Accepted, unfinished orders by traded instrument, in order of arrival. */
  resting: Record<string, OrderState[]>;
  /** Sorted by (at, n). */
  agenda: Due[];
}

/** Prices of one source; 0 = not known yet. */
export interface MarketState {
  last: number;
  lastAt: number;
  mark: number;
  oracle: number;
  bid: number;
  bidAt: number;
  ask: number;
  askAt: number;
  /** Traded base volume of the newest observation that had one; 0 = none yet. */
  volume: number;
  /** Counts observations with a volume: each brings its own allowance of liquidity. */
  observations: number;
  /** Shortest interval of the bars seen; longer bars of the same instrument are ignored. 0 = no bar yet. */
  barMs: number;
  /** Opening stamp of the newest bar whose `bar.opened` was seen. */
  barOpenedAt: number;
  /** Closing stamp of the newest bar: one that ends there or before is a repeat or late. */
  barClosedAt: number;
  /** The order book, where one is fed; null before its first snapshot, and after a gap until the next one. */
  book: BookState | null;
}

/** An order book as it was last told. Levels of one price each, the best one last: there most changes are. */
export interface BookState {
  /** Number of the last update; 0 = the source counts none. */
  updateId: number;
  /** Counts the snapshots and deltas taken, over the whole life of the source. */
  updates: number;
  at: number;
  /** Updates are missing since: it is not used until the next snapshot. */
  isBroken: boolean;
  bids: BookSide;
  asks: BookSide;
}

export interface BookSide {
  prices: number[];
  sizes: number[];
  /** `updates` at which the level last changed. */
  changed: number[];
}

export interface PositionState {
  instrument: string;
  /** Signed. */
  quantity: Decimal;
  /** Signed value at entry, in settlement asset: long linear above zero, short linear below; inverse the other way. */
  costBasis: Decimal;
  /** Isolated margin; '0' on other accounts. */
  margin: Decimal;
  /** Since the position was last flat. */
  realisedPnl: Decimal;
  fees: Decimal;
  funding: Decimal;
  /** [time of a change, signed quantity before it], the first of each second of the last minute: funding is due on the position of its instant. */
  history: [number, Decimal][];
  /** What was held before this is not known any more, feed ms; 0 while every change is remembered. */
  knownFrom: number;
}

/** What has happened to the margin of an isolated position or of a cross account. */
export interface MarginWatch {
  /** A margin call was reported and is not over. */
  called: boolean;
  /** End of the wait after a partial liquidation; 0 = none. */
  cooldownUntil: number;
}

export interface AccountState {
  portfolio: string;
  /** What may not differ when the account is opened again, as text. */
  identity: string;
  accountModel: AccountModel;
  /** null on accounts without margin. */
  marginMode: MarginMode | null;
  settlementAsset: string;
  ledgerScale: number;
  leverage: Record<string, number>;
  signingKey: string | null;
  cash: Decimal;
  realisedPnl: Decimal;
  fees: Decimal;
  funding: Decimal;
  /** By instrument; a flat one stays, for funding that is announced late. */
  positions: Record<string, PositionState>;
  /** By instrument (isolated), or under '*' (cross). */
  watches: Record<string, MarginWatch>;
  /** Newest settlement instants that were paid, by instrument, rising. */
  settled: Record<string, number[]>;
  /** Liquidity taken of an observation, by instrument. */
  taken: Record<string, { observation: number; quantity: number }>;
  /** What was taken of levels of a book that have not changed since, by instrument: [price, `changed`, quantity]. */
  bookTaken: Record<string, [price: number, changed: number, quantity: number][]>;
  /** Traded quote volume by UTC day (whole days since 1970), rising; only as long as some fee may depend on it. */
  volumes: [day: number, quote: number][];
  /** The 100 highest nonces, rising. */
  nonces: number[];
  orderCount: number;
  fillCount: number;
  /** Newest venueSeq handed out. */
  venueSeq: number;
  /** Reports on their way, and when the last of them arrives: none overtakes another. */
  reportsUnderWay: number;
  lastReportAt: number;
  /** The newest reports, rising by venueSeq. */
  reports: VenueReport[];
  /** The newest finished orders, in the order in which they ended. */
  finished: OrderState[];
}

export interface OrderState {
  /** Rises with each submission. */
  n: number;
  portfolio: string;
  orderId: string;
  clientOrderId: string;
  /** null until it is accepted. */
  venueOrderId: string | null;
  instrument: string;
  side: 'buy' | 'sell';
  orderType: OrderPayload['orderType'];
  timeInForce: OrderPayload['timeInForce'];
  reduceOnly: boolean;
  quantity: Decimal;
  filled: Decimal;
  /** Σ price × quantity of the fills, exact. */
  filledNotional: Decimal;
  fees: Decimal;
  limitPrice: Decimal | null;
  stopPrice: Decimal | null;
  /** The same as float64, for matching; 0 = none. */
  limit: number;
  stop: number;
  status: VenueOrderState;
  code: string | null;
  expiresAt: number;
  /** Time of acceptance: it takes no part in what happened before. */
  activeFrom: number;
  /** It has been held against the market once; from then on a limit order rests. */
  hasMet: boolean;
  /** A stop or take-profit that was triggered is a market or limit order from then on. */
  isTriggered: boolean;
  /** Its place in the queue of its price while it rests and a book is fed; else null. */
  queue: QueuePosition | null;
  fills: number;
}

/** Something that falls due: an order or a cancellation arrives, a report reaches the platform, an account is judged again. */
export type Due = { at: number; n: number } & (
  | { kind: 'order'; order: OrderState }
  | { kind: 'cancel'; portfolio: string; clientOrderId: string; orderId: string | null }
  /** Number and time are given when it falls due. */
  | { kind: 'report'; report: VenueReport }
  | { kind: 'judge'; portfolio: string }
);

export function initialVenueState(): VenueState {
  return { schema: 1, time: 0, made: 0, listed: {}, markets: {}, accounts: {}, resting: {}, agenda: [] };
}

export function initialMarket(): MarketState {
  return {
    last: 0,
    lastAt: 0,
    mark: 0,
    oracle: 0,
    bid: 0,
    bidAt: 0,
    ask: 0,
    askAt: 0,
    volume: 0,
    observations: 0,
    barMs: 0,
    barOpenedAt: 0,
    barClosedAt: 0,
    book: null,
  };
}

/** Gives a state that was stored before there were books and fee tiers what it lacks. */
export function completeState(state: VenueState): void {
  for (const market of Object.values(state.markets)) Object.assign(market, { ...initialMarket(), ...market });
  for (const account of Object.values(state.accounts)) {
    account.bookTaken ??= {};
    account.volumes ??= [];
    for (const order of account.finished) order.queue ??= null;
    for (const position of Object.values(account.positions)) position.knownFrom ??= knownFrom(position);
  }
  for (const orders of Object.values(state.resting)) for (const order of orders) order.queue ??= null;
  for (const due of state.agenda) if (due.kind === 'order') due.order.queue ??= null;
}

/** Of a position that does not say so: what was held before the oldest change that is remembered may have been forgotten. */
function knownFrom({ history: [oldest] }: PositionState): number {
  return oldest === undefined || oldest[1] === '0' ? 0 : oldest[0];
}

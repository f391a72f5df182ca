import type { Decimal } from '../money';

/**
 * What a run leaves behind of one portfolio: plain data, made while the run goes on and small however long it is
 * (one entry a day, a fill and a trade; never one an observation). Metrics and reports are functions of it.
 *
 * Times are epoch milliseconds UTC. Ledger amounts are decimal strings in the settlement asset.
 */
export interface PortfolioRecording {
  portfolio: string;
  settlementAsset: string;
  /** Time of the first and of the last observation. */
  startsAt: number;
  endsAt: number;
  /** Equity before the first trade: the first point of every series. */
  startEquity: Decimal;
  /** Cash and positions marked to the last prices, exact. */
  finalEquity: Decimal;
  finalCash: Decimal;
  /** Mark-to-market equities that were seen: every price of something held, every fill, every flow. */
  observations: number;
  /** One for each UTC day with at least one observation, in order. */
  days: DayClose[];
  /** The deepest fall below a running peak over all observations, the start included; flow-adjusted. */
  worst: ObservedDrawdown;
  /** Equity over the run for charts: at most a few thousand points, each the last, lowest or highest of its stretch. */
  curve: EquityPoint[];
  trades: ClosedTrade[];
  fills: RecordedFill[];
  fundings: RecordedFunding[];
  /** What is still held at the end, marked to the last price. */
  open: OpenPosition[];
  /** Milliseconds with any position, and the time-weighted mean of gross exposure ÷ equity. */
  exposedMs: number;
  meanExposure: number;
}

export interface DayClose {
  /** 00:00 UTC of the day. */
  day: number;
  /** Equity at the last observation of the day. */
  equity: Decimal;
  /** Deposits less withdrawals within the day; without those that the run starts with. */
  flow: Decimal;
  /** Gross notional ÷ equity at that observation. */
  exposure: number;
}

export interface ObservedDrawdown {
  /** Share of the peak, zero or below. */
  depth: number;
  /** In settlement asset, zero or below. */
  amount: number;
  peakAt: number;
  troughAt: number;
}

export interface EquityPoint {
  at: number;
  equity: number;
}

/** A round trip: a position from its opening, or the flip that opened it, to the fill that closed it. */
export interface ClosedTrade {
  /** Event id of its `position.closed`. */
  id: string;
  token: string;
  instrument: string;
  side: 'long' | 'short';
  /** Quantity that was closed over the life of the position. */
  quantity: Decimal;
  openedAt: number;
  closedAt: number;
  entryPrice: number;
  exitPrice: number;
  /** Before fees and funding; `netPnl` = grossPnl − fees + funding, exactly. */
  grossPnl: Decimal;
  fees: Decimal;
  funding: Decimal;
  netPnl: Decimal;
  /** Most adverse and most favourable mark-to-market result while it was held, settlement asset: mae ≤ 0 ≤ mfe. */
  mae: number;
  mfe: number;
  /** What opened it: the consensus decision or signal, an operator, a force close, a liquidation. */
  entry: TradeOrigin;
  exit: TradeOrigin;
}

export interface TradeOrigin {
  /** Event id of the `trade.executed`, `portfolio.position_opened` or liquidation. */
  eventId: string;
  /** Id of the order; null where there was none. */
  orderId: string | null;
  reason: 'consensus' | 'signal' | 'force_close' | 'operator' | 'liquidation' | 'initial' | 'other';
  /** Event id of the decision (`trade.consensus_approved`, `signal.generated` …) behind it; null where there was none. */
  decisionId: string | null;
  /** Agents whose votes spoke for it, with their share of the decision's weight × confidence × score; sums to 1. */
  agents: { agent: string; share: number }[];
}

export interface RecordedFill {
  /** Event id of the `trade.executed` or liquidation. */
  id: string;
  orderId: string | null;
  at: number;
  token: string;
  instrument: string;
  side: 'buy' | 'sell';
  quantity: Decimal;
  price: Decimal;
  /** |value| of the fill in the settlement asset; absent = quantity × price, right where a unit of the contract is one of the base. */
  notional?: Decimal;
  fee: Decimal;
  liquidity: 'maker' | 'taker';
  /** Stamp of the observation that made the price: a bar's open stamp where the price is a bar's, else `at`. */
  priceStamp: number;
}

export interface RecordedFunding {
  at: number;
  token: string;
  instrument: string;
  rate: number;
  /** Received; negative = paid. */
  amount: Decimal;
}

export interface OpenPosition {
  token: string;
  instrument: string;
  side: 'long' | 'short';
  quantity: Decimal;
  openedAt: number;
  entryPrice: number;
  markPrice: number;
  unrealisedPnl: Decimal;
  /** Profit of what has been closed of it, before fees and funding; absent = nothing has been closed. */
  realisedPnl?: Decimal;
  /** Fees and funding of the position so far. */
  fees: Decimal;
  funding: Decimal;
  /** What opened it; absent = not known, its profit is attributed to no agent. */
  entry?: TradeOrigin;
}

/** The prices that a portfolio is measured against: bought at the first day's open and held. */
export interface BenchmarkRecording {
  instrument: string;
  /** First price of the run. */
  startPrice: number;
  /** Last price of each UTC day, in order. */
  days: { day: number; close: number }[];
}

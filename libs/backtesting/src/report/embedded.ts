/**
 * What the HTML report carries for its own script: columns in place of rows, ids in one pool, times as differences. The
 * types are shared by the writer (`embed.ts`) and the page (`page/`). Amounts are numbers for display; the exact decimals
 * are in the JSON report and the CSV files.
 */
export interface EmbeddedReport {
  /** Id of the report; its events are kept under a name made from it. */
  runId: string;
  /** 16 bytes an id, base64; columns name an id by its place in the pool, −1 = none. */
  uuids: string;
  /** Ids that are no UUIDs; their places run from `FIRST_NAME` downwards. */
  names: string[];
  instruments: string[];
  agents: string[];
  candles: EmbeddedCandles[];
  decisions: DecisionColumns;
  portfolios: EmbeddedPortfolio[];
}

export interface EmbeddedCandles {
  instrument: string;
  intervalMs: number;
  /** Differences to the candle before; the first is a time. */
  at: number[];
  open: number[];
  high: number[];
  low: number[];
  close: number[];
}

export interface EmbeddedPortfolio {
  name: string;
  asset: string;
  curve: { at: number[]; equity: number[]; benchmark: (number | null)[] };
  /** Shares of the peak, zero or below. */
  underwater: { at: number[]; depth: number[] };
  rolling: { at: number[]; sharpe: (number | null)[]; exposure: number[] };
  /** Counts of daily returns in bins of equal width; `from` is the lower bound of the first. */
  histogram: { from: number; width: number; counts: number[] };
  weeks: { at: number[]; pnl: number[] };
  trades: TradeColumns;
  fills: FillColumns;
}

export interface TradeColumns {
  id: number[];
  instrument: number[];
  /** 1 = long, 0 = short. */
  isLong: number[];
  quantity: number[];
  /** Differences to the trade before. */
  openedAt: number[];
  heldMs: number[];
  entryPrice: number[];
  exitPrice: number[];
  grossPnl: number[];
  fees: number[];
  funding: number[];
  netPnl: number[];
  mae: number[];
  mfe: number[];
  entry: OriginColumns;
  exit: OriginColumns;
}

export interface OriginColumns {
  event: number[];
  order: number[];
  decision: number[];
  /** Place in `ORIGIN_REASONS`. */
  reason: number[];
  /** Pairs of agent and share in thousandths, flat: [agent, share, agent, share …]. */
  agents: number[][];
}

export interface FillColumns {
  id: number[];
  order: number[];
  /** Differences to the fill before. */
  at: number[];
  instrument: number[];
  /** 1 = buy, 0 = sell. */
  isBuy: number[];
  quantity: number[];
  price: number[];
  fee: number[];
  /** 1 = maker, 0 = taker. */
  isMaker: number[];
  /** `at` less the stamp of the price. */
  priceAgeMs: number[];
}

export interface DecisionColumns {
  id: number[];
  at: number[];
  token: string[];
  /** 1 = approved, 0 = failed. */
  isApproved: number[];
  /** 1 = BUY, 0 = SELL, −1 = none. */
  isBuy: number[];
  score: (number | null)[];
  threshold: number[];
  reason: string[];
  /** For each vote six numbers, flat: agent, action (1 BUY, 0 SELL, −1 HOLD), confidence, score, weight, counted. */
  votes: number[][];
}

/** Place of the first id that is no UUID. */
export const FIRST_NAME = -2;

export const ORIGIN_REASONS = [
  'consensus',
  'signal',
  'force_close',
  'operator',
  'liquidation',
  'initial',
  'other',
] as const;

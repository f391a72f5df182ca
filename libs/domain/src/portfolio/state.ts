import type { EventData } from '@moon/events';
import type { Decimal } from '../money';

type Opened = EventData<'portfolio.opened'>;

/** `cash`: no shorts, no debt. `cash-short-credit`: short sales are credited, no leverage limit. `margin`: leveraged contracts. */
export type AccountModel = Opened['accountModel'];
export type MarginMode = NonNullable<Opened['marginMode']>;
export type Side = 'buy' | 'sell';

export interface PortfolioConfig {
  readonly accountModel: AccountModel;
  /** null unless the account model is `margin`. */
  readonly marginMode: MarginMode | null;
  readonly settlementAsset: string;
  /** Decimal places of ledger amounts (rule 13). */
  readonly ledgerScale: number;
  readonly instruments: Readonly<Record<string, { readonly leverage: number; readonly priceSource: string }>>;
  readonly subscriptions: Opened['subscriptions'];
  readonly limits: Opened['limits'];
  readonly sizing: Opened['sizing'];
}

/**
 * An open position. Its value is `quantity × multiplier × price` for spot and linear contracts, and
 * `−quantity × multiplier ÷ price` for inverse ones, whose worth in the settlement coin falls as the price rises.
 */
export interface PositionState {
  readonly instrument: string;
  readonly token: string;
  /** Signed, in units of the instrument: negative = short. Never zero. */
  readonly quantity: Decimal;
  /** Signed value at entry, settlement asset, exact: a long linear position has a positive one, a long inverse one a negative. */
  readonly costBasis: Decimal;
  /** Isolated margin set aside for it, settlement asset, a part of the portfolio's cash; '0' otherwise. */
  readonly margin: Decimal;
  readonly leverage: number;
  /** Profit of what has been closed of it, before fees and funding. */
  readonly realisedPnl: Decimal;
  readonly fees: Decimal;
  /** Received; negative = paid. */
  readonly funding: Decimal;
  /** Unsigned, what has been closed of it since it was opened. */
  readonly closedQuantity: Decimal;
  readonly openedAt: number;
}

/** What is left of the room that an order in flight has set aside. */
export interface Reservation {
  readonly instrument: string;
  readonly side: Side;
  readonly quantity: Decimal;
  /** Settlement asset. */
  readonly notional: Decimal;
  readonly reduceOnly: boolean;
}

export interface HaltState {
  readonly source: string;
  readonly scope: 'portfolio' | 'global';
  readonly reason: string;
}

/** A portfolio's books; rebuilt from the stream `portfolio-<portfolio>`. Plain JSON, never edited in place. */
export interface PortfolioState {
  readonly portfolio: string;
  readonly config: PortfolioConfig;
  /**
   * Settlement asset. Cash models: what is in the account. Margin: the wallet, i.e. deposits − withdrawals +
   * realised profit − fees + funding, isolated margins included.
   */
  readonly cash: Decimal;
  readonly deposits: Decimal;
  readonly withdrawals: Decimal;
  /** Before fees and funding. */
  readonly realisedPnl: Decimal;
  /** Fees in the settlement asset; negative = rebates. */
  readonly fees: Decimal;
  /** Received; negative = paid. */
  readonly funding: Decimal;
  /** Fees charged in other assets; they do not touch the cash. */
  readonly foreignFees: Readonly<Record<string, Decimal>>;
  /** By instrument; open ones only. */
  readonly positions: Readonly<Record<string, PositionState>>;
  /** By order id. */
  readonly reservations: Readonly<Record<string, Reservation>>;
  /** A set of (source, scope, reason); trading needs it empty (rule 18). */
  readonly halts: readonly HaltState[];
  /** Latest settlements that were booked, by instrument, rising epoch ms. */
  readonly fundingSettled: Readonly<Record<string, readonly number[]>>;
  /** When the books were last found equal to the venue's, epoch ms; null when they never were, or a later comparison differed. */
  readonly reconciledAt: number | null;
  readonly counters: {
    readonly fills: number;
    readonly closedPositions: number;
    /** Closed positions by their profit after fees and funding; an even one is neither. */
    readonly winners: number;
    readonly losers: number;
    readonly fundings: number;
    readonly liquidations: number;
  };
  readonly openedAt: number;
}

/**
 * A copy to be edited; written out for the same reason as an order's: books are copied with every fill.
 */
export function copyOfPortfolio(state: PortfolioState): { -readonly [F in keyof PortfolioState]: PortfolioState[F] } {
  return {
    portfolio: state.portfolio,
    config: state.config,
    cash: state.cash,
    deposits: state.deposits,
    withdrawals: state.withdrawals,
    realisedPnl: state.realisedPnl,
    fees: state.fees,
    funding: state.funding,
    foreignFees: state.foreignFees,
    positions: state.positions,
    reservations: state.reservations,
    halts: state.halts,
    fundingSettled: state.fundingSettled,
    reconciledAt: state.reconciledAt,
    counters: state.counters,
    openedAt: state.openedAt,
  };
}

/** What the state hash sees of a portfolio (rule 6): all of its books; not when they were last compared with the venue's. */
export function portfolioHashView(state: PortfolioState): Record<string, unknown> {
  const { reconciledAt: _recoveryPath, halts, ...books } = state;
  const order = (halt: HaltState) => `${halt.scope}\n${halt.source}\n${halt.reason}`;
  return { ...books, halts: [...halts].sort((a, b) => (order(a) < order(b) ? -1 : 1)) };
}

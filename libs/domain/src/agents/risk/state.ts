import type { PortfolioState, ValuationTracker } from '../../portfolio';
import { createValuationTracker } from '../../portfolio';
import { createPriceBook, type LimitsConfig, type PriceBook } from '../../risk';
import type { ViolationType } from './config';
import type { MoveWindow } from './move-window';

/** A condition that was reported and has not been called off yet: it is reported once, however many ticks it lasts. */
export interface Episode {
  violation: ViolationType;
  token: string | null;
  instrument: string | null;
  /** Event time (ms) since which the condition has been cleared without interruption; null = it has not. */
  clearSince: number | null;
}

/** The books at one moment, as far as a snapshot is compared with them. */
export interface RecentBooks {
  /** Event time of the change that led to them, ms. */
  at: number;
  cash: string;
  /** Signed, by instrument. */
  quantities: Record<string, string>;
}

/** A cascade that was reported; event time in ms. */
export interface ReportedCascade {
  impact: number;
  /** When the impact was last above the threshold. */
  lastAt: number;
}

/** What the risk agent knows of one portfolio; plain JSON. */
export interface RiskAgentState {
  /** Its own fold of the portfolio's events; reservations and halts are none of its business and left out. */
  portfolio: PortfolioState | null;
  bounds: LimitsConfig | null;
  prices: PriceBook;
  /** Event time of the latest price, ms. */
  pricedAt: number;
  tracker: ValuationTracker;
  /** By instrument. */
  moves: Record<string, MoveWindow>;
  /** By violation and what it is about. */
  episodes: Record<string, Episode>;
  /** Number of `episodes`, so that a tick without any asks no more. */
  openEpisodes: number;
  /** Whether the deadline that looks at cleared conditions is set. */
  isClearDue: boolean;
  /** By token. */
  cascades: Record<string, ReportedCascade>;
  /** The latest books, oldest first; the last are the present ones. */
  recent: RecentBooks[];
}

export function newRiskAgentState(): RiskAgentState {
  return {
    portfolio: null,
    bounds: null,
    prices: createPriceBook([]),
    pricedAt: 0,
    tracker: createValuationTracker(),
    moves: {},
    episodes: {},
    openEpisodes: 0,
    isClearDue: false,
    cascades: {},
    recent: [],
  };
}

import type { BenchmarkRecording, PortfolioRecording } from '@moon/domain';

/**
 * What a report is made from: plain data that a run leaves behind, bounded however long the run is. Whoever runs a
 * backtest fills it; `buildReport` computes everything else. Times are epoch milliseconds UTC.
 */
export interface ReportInput {
  run: RunFacts;
  /** One recording a portfolio, in the order of the configuration. */
  portfolios: PortfolioRecording[];
  /** The instrument that is bought and held for comparison; null when the run had no price to compare with. */
  benchmark: BenchmarkRecording | null;
  /** Prices to draw trades on, one entry an instrument that was traded. */
  candles: ReportCandles[];
  decisions: DecisionLog;
  dataQuality: DataQuality;
}

/** What ran, on what, and by which fingerprints anybody can tell whether they have run the same. */
export interface RunFacts {
  id: string;
  name: string;
  /** Version of the platform, with the commit where it is known. */
  codeVersion: string;
  /** 'partial' = stopped or failed before the end of its range: every figure then covers only a part. */
  status: 'complete' | 'partial';
  /** Why it is partial, in words; null when it is complete. */
  statusReason: string | null;
  /** The configuration with all defaults filled in, secrets left out. */
  configuration: Record<string, unknown>;
  /** SHA-256 of the configuration's canonical JSON, hexadecimal. */
  configurationHash: string;
  data: RunData;
  seed: number;
  /** SHA-256 over every emitted event in order, and over the final state; null where a partial run has none. */
  eventHash: string | null;
  stateHash: string | null;
  events: number;
  eventsByType: Record<string, number>;
  /** Orders and signals that were refused, counted by reason code. */
  refusedByReason: Record<string, number>;
  limits: {
    /** How often a limit was evaluated, all limits together. */
    evaluated: number;
    /** Breaches by limit. */
    breaches: Record<string, number>;
  };
  bars: number;
  ticks: number;
  wallSeconds: number;
  barsPerSecond: number;
}

export interface RunData {
  /** Base names of the files, or the name of the recorded run in the store that was replayed. */
  sources: string[];
  instruments: string[];
  /** First and last market event that was played. */
  firstAt: number;
  lastAt: number;
  /** SHA-256 of the input in the order it was played, hexadecimal. */
  fingerprint: string;
}

/** Downsampled prices: at most about 2,000 candles an instrument, of one interval. Columns of equal length, in order. */
export interface ReportCandles {
  instrument: string;
  intervalMs: number;
  /** Stamps of the opens. */
  at: number[];
  open: number[];
  high: number[];
  low: number[];
  close: number[];
}

/** Consensus windows: totals over all of them, details of as many as the run kept. */
export interface DecisionLog {
  approved: number;
  failed: number;
  /** Failed windows by reason. */
  failedByReason: Record<string, number>;
  /** One entry an agent that voted at least once, over all windows. */
  agents: AgentVotes[];
  /**
   * Windows in detail, in order: at most 13,000 approved and 2,000 failed ones; where there were more, a draw by id that
   * leaves out no time and no side. `approved + failed` tells how many there were.
   */
  kept: ConsensusDecision[];
}

export interface AgentVotes {
  agent: string;
  votes: number;
  /** Votes that entered a score; the others came late, were HOLD, or stood outside the electorate. */
  counted: number;
  /** Counted votes for the action that was approved, against it, and in windows that failed. */
  withApproved: number;
  againstApproved: number;
  inFailed: number;
  /** Mean confidence (0…1) and score (0…100) of all its votes. */
  meanConfidence: number;
  meanScore: number;
}

export interface ConsensusDecision {
  /** Event id of the `trade.consensus_approved` or `signal.consensus_failed`. */
  id: string;
  at: number;
  token: string;
  outcome: 'approved' | 'failed';
  /** The approved action; for a failed window the action with the higher score, null when no vote counted. */
  action: 'BUY' | 'SELL' | null;
  /** Score of that action, 0…100; null when no vote counted. */
  score: number | null;
  threshold: number;
  /** Why it failed (`below_threshold` …), or what made an approval certain. */
  reason: string;
  votes: DecisionVote[];
}

export interface DecisionVote {
  agent: string;
  action: 'BUY' | 'SELL' | 'HOLD';
  /** 0…1. */
  confidence: number;
  /** 0…100. */
  score: number;
  weight: number;
  /** Whether the vote entered a score. */
  counted: boolean;
}

/** What was found wrong with the data, and by which rule each finding was handled. */
export interface DataQuality {
  instruments: InstrumentQuality[];
  /** Exact repeats that were collapsed; rows with the key of an earlier row and other values; rows out of order. */
  duplicatesCollapsed: number;
  conflicts: number;
  outOfOrder: number;
  /** Rows that broke a rule and were never published, by reason. */
  refusedByReason: Record<string, number>;
  /** One sentence each: how gaps, outages, zero-volume bars, duplicates, conflicts and disorder are handled. */
  rules: string[];
}

export interface InstrumentQuality {
  instrument: string;
  rows: number;
  firstAt: number;
  lastAt: number;
  /** The usual distance of two rows; null for trades and book events, which have none. */
  intervalMs: number | null;
  gapCount: number;
  missingRows: number;
  /** The longest gaps, at most 20, longest first; `from` is the last row before, `to` the first row after. */
  longestGaps: { from: number; to: number; missingRows: number }[];
  zeroVolumeRows: number;
}

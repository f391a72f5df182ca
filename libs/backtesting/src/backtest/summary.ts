import { add, ledgerBalance, type Decimal } from '@moon/domain';
import type { BacktestReport, PortfolioReport } from '../report';
import type { BacktestOutcome } from './run-backtest';

/** What `moon backtest --json` prints: the run's figures on one line. Those of several portfolios are of the first; sums say so. */
export interface BacktestSummary {
  id: string;
  name: string;
  status: 'complete' | 'partial';
  statusReason: string | null;
  bars: number;
  ticks: number;
  events: number;
  orders: number;
  /** Of all portfolios. */
  fills: number;
  closedTrades: number;
  /** Decimal strings in settlement asset, of the first portfolio. */
  startEquity: Decimal;
  finalEquity: Decimal;
  finalCash: Decimal;
  /** Fees paid and funding received. */
  fees: Decimal;
  funding: Decimal;
  settlementAsset: string;
  totalReturn: number | null;
  /** Over all observations, zero or below; and on the daily series. */
  maxDrawdown: number | null;
  maxDrawdownDaily: number | null;
  sharpe: number | null;
  sortino: number | null;
  winRate: number | null;
  profitFactor: number | null;
  limitsEvaluated: number;
  limitBreaches: number;
  refusedByReason: Record<string, number>;
  /** Rows of the data that were refused, by reason. */
  rowsRefused: Record<string, number>;
  /** Failed deliveries by handler. */
  failures: Record<string, number>;
  /** Start + trades + open + flows = final equity, exactly, in every portfolio. */
  balanced: boolean;
  venueDifferences: string[];
  fillsSha256: string;
  eventHash: string | null;
  stateHash: string | null;
  dataFingerprint: string;
  configurationHash: string;
  codeVersion: string;
  wallSeconds: number;
  barsPerSecond: number;
  eventsPerSecond: number;
  /** One entry a portfolio when there are several. */
  portfolios: { portfolio: string; finalEquity: Decimal; fills: number; closedTrades: number; fees: Decimal }[];
}

export function summaryOf(report: BacktestReport, outcome: Omit<BacktestOutcome, 'input'>): BacktestSummary {
  const { run, portfolios, dataQuality } = report;
  const [first] = portfolios;
  if (!first) throw new Error('The run has no portfolio.');
  const { metrics, recording } = first;
  const { startEquity, finalEquity, finalCash, settlementAsset } = recording;
  const { totalReturn, maxDrawdown, maxDrawdownDaily, sharpe, sortino, winRate, profitFactor } = metrics;
  const { eventHash, stateHash, configurationHash, codeVersion, wallSeconds, barsPerSecond } = run;
  return {
    ...{ id: run.id, name: run.name, status: run.status, statusReason: run.statusReason },
    ...{ bars: run.bars, ticks: run.ticks, events: run.events, orders: run.eventsByType['order.requested'] ?? 0 },
    fills: sum(portfolios, ({ recording: { fills } }) => fills.length),
    closedTrades: sum(portfolios, ({ recording: { trades } }) => trades.length),
    ...{ startEquity, finalEquity, finalCash, fees: feesOf(first), funding: metrics.funding, settlementAsset },
    ...{ totalReturn, maxDrawdown, maxDrawdownDaily, sharpe, sortino, winRate, profitFactor },
    limitsEvaluated: run.limits.evaluated,
    limitBreaches: Object.values(run.limits.breaches).reduce((total, count) => total + count, 0),
    ...{ refusedByReason: run.refusedByReason, rowsRefused: dataQuality.refusedByReason, failures: outcome.failures },
    balanced: portfolios.every((portfolio) => ledgerBalance(portfolio.recording).balanced),
    ...{ venueDifferences: outcome.venueDifferences, fillsSha256: outcome.fillsSha256 },
    ...{ eventHash, stateHash, dataFingerprint: run.data.fingerprint, configurationHash, codeVersion },
    ...{ wallSeconds, barsPerSecond, eventsPerSecond: wallSeconds > 0 ? run.events / wallSeconds : 0 },
    portfolios:
      portfolios.length === 1
        ? []
        : portfolios.map((portfolio) => ({
            portfolio: portfolio.recording.portfolio,
            finalEquity: portfolio.recording.finalEquity,
            fills: portfolio.recording.fills.length,
            closedTrades: portfolio.recording.trades.length,
            fees: feesOf(portfolio),
          })),
  };
}

function feesOf({ recording }: PortfolioReport): Decimal {
  return recording.fills.reduce((total, { fee }) => add(total, fee), '0');
}

function sum(portfolios: readonly PortfolioReport[], of: (portfolio: PortfolioReport) => number): number {
  return portfolios.reduce((total, portfolio) => total + of(portfolio), 0);
}

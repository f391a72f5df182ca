import type { BacktestSummary } from '@moon/backtesting';
import { count, money, plural, span } from '../../output/text';

const percent = (share: number | null): string => (share === null ? 'undefined' : `${(share * 100).toFixed(2)} %`);
const ratio = (value: number | null): string => (value === null ? 'undefined' : value.toFixed(2));

/** A run's figures for the eye. */
export function renderSummary(summary: BacktestSummary): string[] {
  const { startEquity, finalEquity, settlementAsset: asset, status, statusReason } = summary;
  const speed = `${count(Math.round(summary.barsPerSecond))} ${summary.bars > 0 ? 'bars' : 'ticks'}/s`;
  const what = summary.bars > 0 ? plural(summary.bars, 'bar') : plural(summary.ticks, 'tick');
  const breaches = plural(summary.limitBreaches, 'breach').replace(/breachs$/, 'breaches');
  return [
    `${summary.name} (${summary.id}): ${what}, ${plural(summary.events, 'event')} in ${span(summary.wallSeconds * 1_000)} (${speed})`,
    ...(status === 'partial' ? [`PARTIAL: ${statusReason ?? 'it did not come to its end'}`] : []),
    `  equity       ${money(Number(startEquity))} → ${money(Number(finalEquity))} ${asset} (${percent(summary.totalReturn)})`,
    `  trades       ${trades(summary)}`,
    `  costs        fees ${money(Number(summary.fees))}, funding ${money(Number(summary.funding))} ${asset}`,
    `  risk         max drawdown ${percent(summary.maxDrawdown)}, Sharpe ${ratio(summary.sharpe)}, Sortino ${ratio(summary.sortino)}`,
    `  limits       ${count(summary.limitsEvaluated)} evaluated, ${breaches}${refusals(summary.refusedByReason)}`,
    ...(Object.keys(summary.rowsRefused).length > 0 ? [`  rows refused ${listed(summary.rowsRefused)}`] : []),
    `  proof        ${summary.balanced ? 'books balance to the last digit' : 'THE BOOKS DO NOT BALANCE'}; events ${summary.eventHash?.slice(0, 16) ?? '(partial)'}, fills ${summary.fillsSha256.slice(0, 16)}`,
  ];
}

function trades({ closedTrades, fills, winRate, profitFactor }: BacktestSummary): string {
  if (closedTrades === 0) return `no closed trade of ${plural(fills, 'fill')}`;
  return `${plural(closedTrades, 'closed trade')} of ${plural(fills, 'fill')}, ${percent(winRate)} won, profit factor ${ratio(profitFactor)}`;
}

function refusals(reasons: Record<string, number>): string {
  return Object.keys(reasons).length === 0 ? '' : `; orders refused: ${listed(reasons)}`;
}

const listed = (counts: Record<string, number>): string =>
  Object.entries(counts)
    .map(([reason, value]) => `${reason} ${count(value)}`)
    .join(', ');

import type { AgentRow, PortfolioMetrics, SplitRow } from '@moon/domain';
import type { BacktestReport, PortfolioReport } from '../build-report';
import { decimal, duration, percent, plural, words } from '../format';
import type { AgentVotes, DecisionLog } from '../report-input';
import { each, html, nothing, type Html, type Part } from './markup';
import { chart, counts, facts, table, type Column } from './parts';
import { amount, periods } from './performance';

/** The result by token, side, agent and time. */
export function splitsPart(metrics: PortfolioMetrics): Html {
  return html`<div class="columns">
      <div>
        <h3>By token</h3>
        ${split('Result by token', metrics.byToken)}
      </div>
      <div>
        <h3>Long and short</h3>
        ${split('Result by side', metrics.bySide)}
      </div>
    </div>
    <h3>By agent</h3>
    <p class="why">A trade’s result is cut by the shares of the agents whose votes spoke for opening it.</p>
    ${byAgent(metrics.byAgent)}
    <h3>By month</h3>
    ${periods('Result by month', metrics.byMonth)}
    <details>
      <summary>By week</summary>
      ${periods('Result by week', metrics.byWeek)}
    </details>`;
}

const ratio = (value: number | null): string => (value === null ? '—' : decimal(value, 3));
const share = (value: number | null): string => (value === null ? '—' : percent(value, 1));

function split(caption: string, rows: readonly SplitRow[]): Html {
  return table(caption, rows, [
    { label: 'Part', cell: ({ key }) => key },
    { label: 'Result', isNumber: true, cell: ({ pnl }) => amount(pnl) },
    { label: 'Share of the largest', isWide: true, cell: barOf(rows, ({ pnl }) => Number(pnl)) },
    { label: 'Trades', isNumber: true, cell: ({ trades }) => decimal(trades, 0) },
    { label: 'Win rate', isNumber: true, cell: ({ winRate }) => share(winRate) },
    { label: 'Profit factor', isNumber: true, isWide: true, cell: ({ profitFactor }) => ratio(profitFactor) },
    { label: 'Fees', isNumber: true, isWide: true, cell: ({ fees }) => decimal(Number(fees)) },
  ]);
}

function byAgent(rows: readonly AgentRow[]): Html {
  if (rows.length === 0) return html`<p class="why">No trade was opened.</p>`;
  return table('Result by agent', rows, [
    { label: 'Agent', cell: ({ agent }) => agent ?? 'no agent (operator, force close …)' },
    { label: 'Result', isNumber: true, cell: ({ pnl }) => amount(pnl) },
    { label: 'Share of the largest', isWide: true, cell: barOf(rows, ({ pnl }) => Number(pnl)) },
    { label: 'Trades', isNumber: true, cell: ({ trades }) => decimal(trades, 0) },
    { label: 'Weight', isNumber: true, isWide: true, cell: ({ weight }) => decimal(weight, 1) },
    { label: 'Win rate', isNumber: true, cell: ({ winRate }) => share(winRate) },
  ]);
}

/** A bar as long as its part of the largest; the number beside it says the same, so it is hidden from readers. */
function barOf<Row>(rows: readonly Row[], value: (row: Row) => number): (row: Row) => Part {
  const most = Math.max(...rows.map((row) => Math.abs(value(row))), 1e-9);
  return (row) => {
    const size = Math.round((Math.abs(value(row)) / most) * 100);
    const tone = value(row) < 0 ? 'is-loss' : 'is-gain';
    return html`<div class="bar" aria-hidden="true"><i class="${tone}" style="width:${size}%"></i></div>`;
  };
}

/** Candles with trades, and the places of the two tables that the page fills. */
export function tradesPart({ recording, metrics }: PortfolioReport, report: BacktestReport, index: number): Html {
  const traded = new Set(recording.trades.map(({ instrument }) => instrument));
  const shown = report.candles.filter(({ instrument }) => traded.has(instrument));
  return html`${each(shown, ({ instrument, intervalMs }) =>
      chart({
        kind: 'candles',
        portfolio: index,
        instrument,
        title: `${instrument}: trades on candles of ${duration(intervalMs)}`,
        summary:
          'Drag over the chart or use the buttons to zoom. With many trades in sight each is a dot at its entry; closer, a triangle marks the entry (up = long, down = short), a square the exit, and the line between them is the result. The table below has all of them.',
        legend: [
          { color: 'accent', mark: 'up', label: 'long' },
          { color: 'second', mark: 'down', label: 'short' },
          { color: 'gain', mark: 'square', label: 'rise, won' },
          { color: 'loss', mark: 'square', label: 'fall, lost' },
        ],
        heightPx: 420,
      }),
    )}
    <h3>Closed trades</h3>
    <p class="why">
      ${plural(metrics.trades, 'trade')}. Unfold one to see its chain: decision, order and fills within this report, and
      the command that prints it from the event store.
    </p>
    <div data-table="trades" data-portfolio="${index}"></div>
    <h3>Fills</h3>
    <div data-table="fills" data-portfolio="${index}"></div>`;
}

/** What consensus decided, and what each agent had to do with it. */
export function decisionsPart(decisions: DecisionLog): Html {
  const all = decisions.approved + decisions.failed;
  if (all === 0) return html`<p class="why">No consensus window was opened in this run.</p>`;
  const kept = decisions.kept.length;
  const note = kept === all ? '' : ` ${decimal(kept, 0)} of them are kept in detail below; the totals cover all.`;
  const columns: Column<AgentVotes>[] = [
    { label: 'Agent', cell: ({ agent }) => agent },
    { label: 'Votes', isNumber: true, cell: ({ votes }) => decimal(votes, 0) },
    { label: 'Counted', isNumber: true, isWide: true, cell: ({ counted }) => decimal(counted, 0) },
    { label: 'For what was approved', isNumber: true, cell: ({ withApproved }) => decimal(withApproved, 0) },
    { label: 'Against it', isNumber: true, cell: ({ againstApproved }) => decimal(againstApproved, 0) },
    { label: 'In failed windows', isNumber: true, isWide: true, cell: ({ inFailed }) => decimal(inFailed, 0) },
    { label: 'Mean confidence', isNumber: true, isWide: true, cell: ({ meanConfidence }) => decimal(meanConfidence) },
    { label: 'Mean score', isNumber: true, isWide: true, cell: ({ meanScore }) => decimal(meanScore, 1) },
  ];
  return html`<p>
      ${plural(all, 'window')}: ${decimal(decisions.approved, 0)} approved, ${decimal(decisions.failed, 0)}
      failed.${note}
    </p>
    ${facts(Object.entries(decisions.failedByReason).map(([reason, count]) => [`Failed: ${words(reason)}`, decimal(count, 0)]))}
    <h3>What each agent contributed</h3>
    ${table('Votes by agent', decisions.agents, columns)}
    ${
      kept === 0
        ? nothing
        : html`${chart({
              kind: 'decisions',
              title: 'Scores against the threshold',
              summary: 'Score of each decision kept: filled = approved, hollow = failed, dashed = the threshold.',
              legend: [
                { color: 'accent', mark: 'dot', label: 'approved' },
                { color: 'loss', mark: 'ring', label: 'failed' },
                { color: 'muted', mark: 'dashed', label: 'threshold' },
              ],
              heightPx: 240,
            })}
            <h3>Decisions</h3>
            <div data-table="decisions"></div>`
    }`;
}

/** What was refused, and how often limits were looked at. */
export function refusalsPart({ run }: BacktestReport): Html {
  const breaches = Object.values(run.limits.breaches).reduce((sum, count) => sum + count, 0);
  return html`<p>${decimal(run.limits.evaluated, 0)} evaluations of limits, ${decimal(breaches, 0)} breaches.</p>
    <div class="columns">
      ${
        breaches === 0
          ? nothing
          : html`<div>
              <h3>Breaches by limit</h3>
              ${counts('Breaches by limit', 'Limit', run.limits.breaches)}
            </div>`
      }
      ${
        Object.keys(run.refusedByReason).length === 0
          ? nothing
          : html`<div>
              <h3>Refused by reason</h3>
              ${counts('Refused by reason', 'Reason', run.refusedByReason)}
            </div>`
      }
    </div>`;
}

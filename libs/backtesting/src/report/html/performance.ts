import { reasonFor, ROLLING_DAYS, type MonthlyReturns, type PeriodRow, type PortfolioMetrics } from '@moon/domain';
import {
  BENCHMARK_FIGURES,
  DAY_FIGURES,
  hasBenchmarkTwin,
  MONEY_FIGURES,
  RETURN_FIGURES,
  RISK_FIGURES,
  show,
  showAgainstBenchmark,
  TRADE_FIGURES,
  type Figure,
} from '../figures';
import { day, decimal, percent, plural, signed, signedPercent } from '../format';
import { each, html, nothing, type Html } from './markup';
import { chart, figureValue, shortRun, table, term, type ChartPart } from './parts';

/** Falls listed; the shallow ones beyond say nothing new. */
const FALLS_SHOWN = 8;
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** Equity against the benchmark, depth below the peak, and the falls one by one. */
export function equityPart(metrics: PortfolioMetrics, portfolio: number): Html {
  const { benchmark, settlementAsset: asset, maxDrawdown, underwaterTime } = metrics;
  const against =
    benchmark === null
      ? []
      : [
          {
            color: 'second',
            mark: 'dashed',
            label: `Buying and holding ${benchmark.instrument}, daily closes`,
          } as const,
        ];
  const ends = `${decimal(Number(metrics.startEquity))} to ${decimal(Number(metrics.finalEquity))} ${asset}`;
  const held =
    benchmark === null
      ? 'No benchmark was given.'
      : `Buying and holding would have ended at ${decimal(benchmark.finalEquity)}.`;
  const under = underwaterTime === null ? '' : `; ${percent(underwaterTime, 0)} of the days closed below it`;
  return html`${chart({
    kind: 'equity',
    portfolio,
    title: 'Equity against buying and holding',
    summary: `From ${ends}. ${held}`,
    legend: [{ color: 'accent', mark: 'line', label: 'Equity' }, ...against],
    heightPx: 320,
    data: byMonth(metrics),
  })}
  ${chart({
    kind: 'underwater',
    portfolio,
    title: 'Under water',
    summary: `Depth below the highest equity so far, at most ${maxDrawdown === null ? '—' : percent(maxDrawdown)}${under}.`,
    heightPx: 180,
  })}
  ${falls(metrics)}`;
}

function falls({ drawdowns }: PortfolioMetrics): Html {
  if (drawdowns.length === 0) return nothing;
  return html`<h3>Deepest falls, daily closes</h3>
    ${table('Deepest falls of the daily equity', drawdowns.slice(0, FALLS_SHOWN), [
      { label: 'Depth', cell: ({ depth }) => percent(depth) },
      { label: 'Peak', cell: ({ peakDay }) => day(peakDay) },
      { label: 'Trough', cell: ({ troughDay }) => day(troughDay) },
      { label: 'Recovered', cell: ({ recoveryDay }) => (recoveryDay === null ? 'not yet' : day(recoveryDay)) },
      { label: 'Days', isNumber: true, cell: ({ lengthDays }) => decimal(lengthDays, 0) },
    ])}`;
}

/** Months as a table: the text alternative of every chart over the whole run. */
function byMonth({ byMonth: months, daily, benchmark }: PortfolioMetrics): Html {
  let through = -1;
  const rows = months.map((month) => {
    through += month.days;
    return { month, close: daily[through], held: benchmark?.daily[through]?.equity };
  });
  return table('Month ends', rows, [
    { label: 'Month', cell: ({ month }) => month.period },
    {
      label: 'Equity',
      isNumber: true,
      cell: ({ close }) => (close === undefined ? '—' : decimal(Number(close.equity))),
    },
    { label: 'Buy and hold', isNumber: true, cell: ({ held }) => (held === undefined ? '—' : decimal(held)) },
    { label: 'Return', isNumber: true, cell: ({ month }) => share(month.return) },
    {
      label: 'Below peak',
      isNumber: true,
      cell: ({ close }) => (close?.underwater == null ? '—' : percent(close.underwater)),
    },
    {
      label: 'Exposure',
      isNumber: true,
      isWide: true,
      cell: ({ close }) => (close === undefined ? '—' : percent(close.exposure, 1)),
    },
  ]);
}

const share = (value: number | null): string => (value === null ? '—' : signedPercent(value));

/** Months, distribution, rolling figures and weeks. */
export function returnsPart(metrics: PortfolioMetrics, portfolio: number): Html {
  const { distribution, bestDay, worstDay, winRateDays, byWeek, daily, meanExposure, maxExposureDaily } = metrics;
  const days = (value: number | null) => (value === null ? '—' : signedPercent(value));
  const weeks = byWeek.filter(({ pnl }) => Number(pnl) > 0).length;
  return html`<h3>Returns by month</h3>
    ${heatMap(metrics.monthlyReturns)}
    ${chart({
      kind: 'distribution',
      portfolio,
      title: 'Distribution of daily returns',
      summary: `From ${days(worstDay)} to ${days(bestDay)}; ${winRateDays === null ? '—' : percent(winRateDays, 0)} of the days won.`,
      heightPx: 220,
      data: table('Daily returns by size', distribution, [
        { label: 'From', cell: ({ from }) => signedPercent(from) },
        { label: 'to below', cell: ({ to }) => signedPercent(to) },
        { label: 'Days', isNumber: true, cell: ({ count }) => decimal(count, 0) },
      ]),
    })}
    ${chartOverDays({
      points: metrics.rollingSharpe.filter(({ sharpe }) => sharpe !== null).length,
      kind: 'rolling-sharpe',
      portfolio,
      title: 'Rolling Sharpe',
      summary: rollingInWords(metrics),
      heightPx: 190,
    })}
    ${chartOverDays({
      points: daily.length,
      kind: 'exposure',
      portfolio,
      title: 'Exposure',
      summary: `Gross notional ÷ equity at the daily close: ${meanExposure === null ? '—' : percent(meanExposure, 1)} on average over time, ${percent(maxExposureDaily, 1)} at most.`,
      heightPx: 170,
      data: byMonth(metrics),
    })}
    ${chart({
      kind: 'weeks',
      portfolio,
      title: 'Result by week',
      summary: `${weeks} of ${plural(byWeek.length, 'week')} won, marked to market.`,
      heightPx: 200,
      data: periods('Weeks from Monday', byWeek),
    })}`;
}

/** A line over days takes two of them: of fewer, the sentence is all there is. */
function chartOverDays({ points, ...part }: ChartPart & { points: number }): Html {
  if (points >= 2) return chart(part);
  return html`<h3>${part.title}</h3>
    <p class="why">${part.summary}</p>`;
}

function rollingInWords(metrics: PortfolioMetrics): string {
  const { daily, rollingSharpe } = metrics;
  if (daily.length < ROLLING_DAYS)
    return `There is none: each point takes the last ${ROLLING_DAYS} daily returns, and this run has ${plural(daily.length, 'day')}.`;
  const known = rollingSharpe.flatMap(({ sharpe }) => (sharpe === null ? [] : [sharpe]));
  if (known.length === 0) return reasonFor(metrics, 'rollingSharpe[].sharpe') ?? 'The daily returns do not vary.';
  const [low, high] = [Math.min(...known), Math.max(...known)];
  if (known.length === 1) return `Of the only ${ROLLING_DAYS} daily returns that give one: ${decimal(low)}.`;
  return `Of the last ${ROLLING_DAYS} daily returns: between ${decimal(low)} and ${decimal(high)}.`;
}

function heatMap(years: readonly MonthlyReturns[]): Html {
  const most = Math.max(...years.flatMap(({ months }) => months.map((value) => Math.abs(value ?? 0))), 1e-9);
  const cell = (value: number | null, month: number): Html => {
    const name = MONTHS[month] ?? '';
    if (value === null) return html`<td data-name="${name}">—</td>`;
    // At most half of the colour, so that the text on it stays readable.
    const strength = Math.round(6 + (Math.abs(value) / most) * 40);
    const tone = value > 0 ? 'gain' : value < 0 ? 'loss' : 'none';
    return html`<td data-name="${name}" data-heat="${tone}" style="--heat:${strength}">${signed(value * 100, 1)}</td>`;
  };
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Returns by month, per cent">
    <table class="heat">
      <caption class="visually-hidden">
        Returns by month, per cent
      </caption>
      <thead>
        <tr>
          <th scope="col">%</th>
          ${each(MONTHS, (month) => html`<th scope="col">${month}</th>`)}
          <th scope="col">Year</th>
        </tr>
      </thead>
      <tbody>
        ${each(
          years,
          ({ year, months, total }) =>
            html`<tr>
              <th scope="row">${year}</th>
              ${each(months, cell)}
              <td class="year">${total === null ? '—' : signed(total * 100, 1)}</td>
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

export function periods(caption: string, rows: readonly PeriodRow[]): Html {
  return table(caption, rows, [
    { label: 'From', cell: ({ period }) => period },
    { label: 'Result', isNumber: true, cell: ({ pnl }) => amount(pnl) },
    { label: 'Return', isNumber: true, cell: ({ return: earned }) => share(earned) },
    { label: 'Trades', isNumber: true, cell: ({ trades }) => decimal(trades, 0) },
    { label: 'Won', isNumber: true, isWide: true, cell: ({ wins }) => decimal(wins, 0) },
    { label: 'Lost', isNumber: true, isWide: true, cell: ({ losses }) => decimal(losses, 0) },
    { label: 'Closed P&L', isNumber: true, isWide: true, cell: ({ closedPnl }) => amount(closedPnl) },
  ]);
}

export function amount(value: string): Html {
  const number = Number(value);
  const tone = number > 0 ? 'gain' : number < 0 ? 'loss' : '';
  return html`<span class="${tone}" title="${value}">${signed(number)}</span>`;
}

/** Every figure there is, beside the benchmark's where it has the same. */
export function figuresPart(metrics: PortfolioMetrics): Html {
  const groups: [string, readonly Figure[]][] = [
    ['Return', RETURN_FIGURES],
    ['Risk', RISK_FIGURES],
    ['Trades', TRADE_FIGURES],
    ['Days', DAY_FIGURES],
    ['Money', MONEY_FIGURES],
  ];
  const against = metrics.benchmark === null ? nothing : benchmarkGroup(metrics);
  return html`${shortRun(metrics)}
    <div class="columns broad">${each(groups, ([name, figures]) => group(name, figures, metrics))}${against}</div>`;
}

function group(name: string, figures: readonly Figure[], metrics: PortfolioMetrics): Html {
  const withTwin = figures.some(({ key }) => hasBenchmarkTwin(key, metrics));
  const twin = ({ key, form }: Figure) =>
    hasBenchmarkTwin(key, metrics) ? figureValue(showAgainstBenchmark(metrics, key, form)) : '';
  return html`<div>
    <h3>${name}</h3>
    ${table(`${name}: figures`, figures, [
      { label: 'Figure', cell: ({ key, label }) => term(key, label) },
      { label: 'Portfolio', isNumber: true, cell: (one) => figureValue(show(metrics, one)) },
      ...(withTwin ? [{ label: 'Buy and hold', isNumber: true, cell: twin }] : []),
    ])}
  </div>`;
}

function benchmarkGroup(metrics: PortfolioMetrics): Html {
  return html`<div>
    <h3>Against buying and holding ${metrics.benchmark?.instrument ?? ''}</h3>
    ${table('Figures against the benchmark', BENCHMARK_FIGURES, [
      { label: 'Figure', cell: ({ key, label }) => term(key, label) },
      {
        label: 'Value',
        isNumber: true,
        cell: ({ key, form }) => figureValue(showAgainstBenchmark(metrics, key, form)),
      },
    ])}
  </div>`;
}

/** The definitions that the terms point to. */
export function definitions(): Html {
  const known = [RETURN_FIGURES, RISK_FIGURES, TRADE_FIGURES, DAY_FIGURES, MONEY_FIGURES, BENCHMARK_FIGURES].flat();
  return html`<dl class="definitions columns">
    ${each(
      known,
      ({ key, label, meaning }) =>
        html`<div>
          <dt>${label}</dt>
          <dd id="def-${key}">${meaning}</dd>
        </div>`,
    )}
  </dl>`;
}

import { Type, type TProperties } from '@sinclair/typebox';
import { closed, decimal, list, nullable, text, time } from './schema-parts';

const number = () => Type.Number();
const count = () => Type.Integer({ minimum: 0 });
const figure = () => nullable(Type.Number());

/** The same schema under several names. */
const each = <const K extends readonly string[], P>(names: K, make: () => P): Record<K[number], P> =>
  Object.fromEntries(names.map((name) => [name, make()])) as Record<K[number], P>;

const drawdown = () =>
  closed({
    depth: number(),
    peakDay: time(),
    troughDay: time(),
    recoveryDay: nullable(time()),
    fallDays: number(),
    recoveryDays: figure(),
    lengthDays: number(),
  });

const outcome = {
  ...each(['trades', 'wins', 'losses'], count),
  ...each(['winRate', 'profitFactor'], figure),
} satisfies TProperties;

const split = () =>
  closed({
    key: text('The token, or `long` or `short`.'),
    ...outcome,
    ...each(['grossPnl', 'fees', 'funding', 'closedPnl', 'openPnl', 'pnl'], decimal),
  });

const period = () =>
  closed({
    period: text('`2022-03-01`, for a week its Monday; `2022-03` for a month.'),
    from: time(),
    days: count(),
    pnl: decimal('Change of equity, marked to market, less the flows.'),
    flow: decimal(),
    return: figure(),
    ...each(['trades', 'wins', 'losses'], count),
    closedPnl: decimal(),
  });

const benchmark = closed({
  instrument: text(),
  ...each(['finalEquity', 'totalReturn', 'maxDrawdownDaily', 'bestDay', 'worstDay'], number),
  ...each(['cagr', 'volatility', 'sharpe', 'sortino', 'calmarDaily', 'ulcerIndex', 'excessReturn'], figure),
  ...each(['alpha', 'beta', 'correlation', 'trackingError', 'informationRatio'], figure),
  drawdowns: list(drawdown()),
  daily: list(closed({ day: time(), equity: number(), return: number(), underwater: number() })),
});

const returnFigures = {
  ...each(
    ['totalReturn', 'cagr', 'volatility', 'downsideRisk', 'sharpe', 'sortino', 'omega', 'skew', 'kurtosis'],
    figure,
  ),
  ...each(['meanDay', 'bestDay', 'worstDay', 'valueAtRisk', 'conditionalValueAtRisk', 'tailRatio'], figure),
  ...each(['maxDrawdownDaily', 'calmarDaily', 'ulcerIndex', 'longestDrawdownDays', 'underwaterTime'], figure),
  ...each(['winDays', 'lossDays', 'longestWinStreakDays', 'longestLossStreakDays'], count),
  ...each(['winRateDays', 'profitFactorDays', 'averageWinDays', 'averageLossDays', 'payoffRatioDays'], figure),
};

const tradeFigures = {
  ...each(['closedPnl', 'grossProfit', 'grossLoss'], decimal),
  ...each(['expectancy', 'expectancyRatio', 'averageWin', 'averageLoss', 'payoffRatio'], figure),
  ...each(['bestTrade', 'worstTrade'], () => nullable(decimal())),
  ...each(['longestWinStreak', 'longestLossStreak'], count),
  ...each(['meanHoldingMs', 'medianHoldingMs', 'shortestHoldingMs', 'longestHoldingMs'], figure),
  ...each(['meanHoldingWinsMs', 'meanHoldingLossesMs'], figure),
  ...each(['averageMae', 'averageMfe', 'worstMae', 'bestMfe'], figure),
};

/** Schema of `PortfolioMetrics`; docs/metrics.md has the definitions. */
export const metricsSchema = closed({
  portfolio: text(),
  settlementAsset: text(),
  startsAt: time(),
  endsAt: time(),
  periodsPerYear: number(),
  ...each(['days', 'observations', 'fills'], count),
  ...each(['startEquity', 'finalEquity', 'flows', 'netProfit', 'openPnl', 'fees', 'funding', 'turnover'], decimal),
  ...outcome,
  ...returnFigures,
  ...tradeFigures,
  ...each(['maxDrawdown', 'maxDrawdownAmount', 'maxDrawdownPeakAt', 'maxDrawdownTroughAt', 'calmar'], figure),
  ...each(['tradesPerDay', 'maxExposureDaily'], number),
  ...each(['exposureTime', 'meanExposure', 'turnoverRatio', 'feeRate'], figure),
  daily: list(
    closed({
      day: time(),
      equity: decimal(),
      flow: decimal(),
      return: figure(),
      index: figure(),
      underwater: figure(),
      exposure: number(),
    }),
  ),
  drawdowns: list(drawdown()),
  rollingSharpe: list(closed({ day: time(), sharpe: figure() })),
  monthlyReturns: list(closed({ year: Type.Integer(), months: list(figure()), total: figure() })),
  distribution: list(closed({ from: number(), to: number(), count: count() })),
  byToken: list(split()),
  bySide: list(split()),
  byAgent: list(
    closed({
      agent: nullable(text()),
      ...each(['trades', 'wins', 'losses'], count),
      winRate: figure(),
      weight: number(),
      ...each(['closedPnl', 'openPnl', 'pnl'], decimal),
    }),
  ),
  byDay: list(period()),
  byWeek: list(period()),
  byMonth: list(period()),
  benchmark: nullable(benchmark),
  undefinedBecause: Type.Record(Type.String(), Type.String(), { description: 'Reasons by the path of what is null.' }),
});

import type { DailySeries } from './daily';
import { drawdownsOf, ulcerIndex, type Drawdown } from './drawdowns';
import * as ratios from './ratios';
import { kurtosis, mean, quantile, seen, skewness, undefinedFigure, type Why } from './statistics';
import type { WhyAt } from './trade-figures';
import type { ReturnFigures } from './types';

type Compute = (why: Why) => number | null;

/** Figures of the daily returns and of the index they make; all null, with one reason, where either is missing. */
export function returnFigures(series: DailySeries, periodsPerYear: number, whyAt: WhyAt): ReturnFigures {
  const { points, returnsMissing, indexMissing } = series;
  const returns = seen(points.map((point) => point.return));
  const gate = (missing: string | null) => (name: string, compute: Compute) =>
    missing === null ? compute(whyAt(name)) : undefinedFigure(whyAt(name), missing);
  const ofReturns = gate(returnsMissing);
  const ofIndex = gate(indexMissing);
  const totalReturn = ofIndex('totalReturn', () => (points[points.length - 1]?.index ?? 1) - 1);
  const growth = (why: Why) => ratios.compoundAnnualGrowth(totalReturn ?? 0, points.length / periodsPerYear, why);
  const cagr = ofIndex('cagr', growth);
  const underwater = seen(points.map((point) => point.underwater));
  const maxDrawdownDaily = ofIndex('maxDrawdownDaily', () => underwater.reduce((a, b) => Math.min(a, b), 0));
  const longest = () => drawdownsOfSeries(series).reduce((most, { lengthDays }) => Math.max(most, lengthDays), 0);
  const [won, lost] = [returns.filter((value) => value > 0), returns.filter((value) => value < 0)];
  const averageWinDays = ofReturns('averageWinDays', because(mean(won), 'No day won.'));
  const averageLossDays = ofReturns('averageLossDays', because(mean(lost), 'No day lost.'));
  return {
    totalReturn,
    cagr,
    volatility: ofReturns('volatility', (why) => ratios.volatility(returns, periodsPerYear, why)),
    downsideRisk: ofReturns('downsideRisk', (why) => ratios.downsideRisk(returns, periodsPerYear, why)),
    sharpe: ofReturns('sharpe', (why) => ratios.sharpe(returns, periodsPerYear, why)),
    sortino: ofReturns('sortino', (why) => ratios.sortino(returns, periodsPerYear, why)),
    omega: ofReturns('omega', (why) => ratios.omega(returns, 0, why)),
    skew: ofReturns('skew', (why) => skewness(returns, why)),
    kurtosis: ofReturns('kurtosis', (why) => kurtosis(returns, why)),
    meanDay: ofReturns('meanDay', (why) => mean(returns, why)),
    bestDay: ofReturns('bestDay', (why) => quantile(returns, 1, why)),
    worstDay: ofReturns('worstDay', (why) => quantile(returns, 0, why)),
    valueAtRisk: ofReturns('valueAtRisk', (why) => ratios.valueAtRisk(returns, 0.05, why)),
    conditionalValueAtRisk: ofReturns('conditionalValueAtRisk', (why) =>
      ratios.conditionalValueAtRisk(returns, 0.05, why),
    ),
    tailRatio: ofReturns('tailRatio', (why) => ratios.tailRatio(returns, why)),
    maxDrawdownDaily,
    calmarDaily: ofIndex('calmarDaily', (why) => ratios.calmar(cagr, maxDrawdownDaily, why)),
    ulcerIndex: ofIndex('ulcerIndex', (why) => ulcerIndex(underwater, why)),
    longestDrawdownDays: ofIndex('longestDrawdownDays', longest),
    underwaterTime: ofIndex('underwaterTime', (why) =>
      ratios.winRate(
        underwater.map((depth) => -depth),
        why,
      ),
    ),
    winDays: won.length,
    lossDays: lost.length,
    winRateDays: ofReturns('winRateDays', (why) => ratios.winRate(returns, why)),
    profitFactorDays: ofReturns('profitFactorDays', (why) => ratios.profitFactor(returns, why)),
    averageWinDays,
    averageLossDays,
    payoffRatioDays: ofReturns('payoffRatioDays', (why) =>
      averageWinDays === null || averageLossDays === null
        ? undefinedFigure(why, 'It needs a day that won and one that lost.')
        : averageWinDays / -averageLossDays,
    ),
    longestWinStreakDays: ratios.longestStreak(returns, (value) => value > 0),
    longestLossStreakDays: ratios.longestStreak(returns, (value) => value < 0),
  };
}

function because(value: number | null, reason: string): Compute {
  return (why) => value ?? undefinedFigure(why, reason);
}

/** The falls of the daily index, the start included; none where the index is missing. */
export function drawdownsOfSeries({ points, indexMissing }: DailySeries): Drawdown[] {
  const [first] = points;
  if (indexMissing !== null || first === undefined) return [];
  return drawdownsOf([1, ...seen(points.map(({ index }) => index))], first.day);
}

/** Sharpe of the last `windowDays` returns, from the day on that completes the first window. */
export function rollingSharpe(series: DailySeries, windowDays: number, periodsPerYear: number, why: Why) {
  const returns = series.points.map((point) => point.return);
  return series.points.slice(windowDays - 1).map(({ day }, offset) => {
    const window = returns.slice(offset, offset + windowDays);
    const missing = window.includes(null);
    const value = missing ? null : ratios.sharpe(window, periodsPerYear, why);
    if (missing) why(series.returnsMissing ?? '');
    return { day, sharpe: value };
  });
}

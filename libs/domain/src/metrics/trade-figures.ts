import { add, cmp, fromNumber, mul, sign, sub, toNumber, type Decimal } from '../money';
import type { ClosedTrade, OpenPosition, RecordedFill } from './recording';
import { longestStreak } from './ratios';
import { mean, quantile, undefinedFigure, type Why } from './statistics';

/** A reason goes under the path of the figure that is missing. */
export type WhyAt = (path: string) => Why;

const NO_TRADES = 'No trade was closed.';

/** Exact sum of decimals. */
export function total(amounts: Iterable<Decimal>): Decimal {
  let all = '0';
  for (const amount of amounts) all = add(all, amount);
  return all;
}

/** Profit of an open position after fees and funding, what has been closed of it included. */
export function openPnl(position: OpenPosition): Decimal {
  return add(sub(openGrossPnl(position), position.fees), position.funding);
}

/** The same before fees and funding. */
export function openGrossPnl(position: OpenPosition): Decimal {
  return add(position.unrealisedPnl, position.realisedPnl ?? '0');
}

/** |value| of a fill, settlement asset. */
export function notionalOf(fill: RecordedFill): Decimal {
  return fill.notional ?? mul(fill.quantity, fill.price);
}

/** How trades ended, by their net result: an even one is neither won nor lost. */
export interface Outcome {
  trades: number;
  wins: number;
  losses: number;
  winRate: number | null;
  profitFactor: number | null;
}

export function outcomeOf(trades: readonly ClosedTrade[], whyAt: WhyAt): Outcome {
  const { won, lost } = byOutcome(trades);
  return {
    trades: trades.length,
    wins: won.length,
    losses: lost.length,
    winRate: trades.length === 0 ? undefinedFigure(whyAt('winRate'), NO_TRADES) : won.length / trades.length,
    profitFactor: ratio(total(won), total(lost), {
      why: whyAt('profitFactor'),
      reason: trades.length === 0 ? NO_TRADES : 'No trade lost: there is no loss to divide by.',
    }),
  };
}

/** Figures of closed trades beyond their outcome; amounts in settlement asset, times in ms. */
export interface TradeFigures {
  closedPnl: Decimal;
  grossProfit: Decimal;
  grossLoss: Decimal;
  expectancy: number | null;
  expectancyRatio: number | null;
  averageWin: number | null;
  averageLoss: number | null;
  payoffRatio: number | null;
  bestTrade: Decimal | null;
  worstTrade: Decimal | null;
  longestWinStreak: number;
  longestLossStreak: number;
  meanHoldingMs: number | null;
  medianHoldingMs: number | null;
  shortestHoldingMs: number | null;
  longestHoldingMs: number | null;
  meanHoldingWinsMs: number | null;
  meanHoldingLossesMs: number | null;
  averageMae: number | null;
  averageMfe: number | null;
  worstMae: number | null;
  bestMfe: number | null;
}

/** @param trades in order of their closing, which streaks depend on */
export function tradeFigures(trades: readonly ClosedTrade[], whyAt: WhyAt): TradeFigures {
  const { won, lost } = byOutcome(trades);
  const nets = trades.map(({ netPnl }) => netPnl);
  const closedPnl = total(nets);
  const [grossProfit, grossLoss] = [total(won), total(lost)];
  const averageWin = average(grossProfit, won.length, whyAt('averageWin'), 'No trade won.');
  const averageLoss = average(grossLoss, lost.length, whyAt('averageLoss'), 'No trade lost.');
  const expectancy = average(closedPnl, trades.length, whyAt('expectancy'), NO_TRADES);
  return {
    closedPnl,
    grossProfit,
    grossLoss,
    expectancy,
    expectancyRatio: perLoss(expectancy, averageLoss, whyAt('expectancyRatio')),
    averageWin,
    averageLoss,
    payoffRatio: perLoss(averageWin, averageLoss, whyAt('payoffRatio')),
    bestTrade: extreme(nets, 1, whyAt('bestTrade')),
    worstTrade: extreme(nets, -1, whyAt('worstTrade')),
    ...streaksOf(nets),
    ...holdingTimes(trades, whyAt),
    ...excursions(trades, whyAt),
  };
}

function byOutcome(trades: readonly ClosedTrade[]): { won: Decimal[]; lost: Decimal[] } {
  const nets = trades.map(({ netPnl }) => netPnl);
  return { won: nets.filter((net) => sign(net) > 0), lost: nets.filter((net) => sign(net) < 0) };
}

function ratio(above: Decimal, below: Decimal, missing: { why: Why; reason: string }): number | null {
  if (sign(below) === 0) return undefinedFigure(missing.why, missing.reason);
  return toNumber(above) / Math.abs(toNumber(below));
}

function average(amount: Decimal, count: number, why: Why, reason: string): number | null {
  return count === 0 ? undefinedFigure(why, reason) : toNumber(amount) / count;
}

function perLoss(amount: number | null, averageLoss: number | null, why: Why): number | null {
  if (amount === null || averageLoss === null)
    return undefinedFigure(why, 'It needs trades, and an average loss to divide by.');
  return amount / Math.abs(averageLoss);
}

function extreme(nets: readonly Decimal[], way: 1 | -1, why: Why): Decimal | null {
  const [first, ...rest] = nets;
  if (first === undefined) return undefinedFigure(why, NO_TRADES);
  return rest.reduce((found, net) => (cmp(net, found) === way ? net : found), first);
}

function streaksOf(nets: readonly Decimal[]) {
  const signs = nets.map(sign);
  return {
    longestWinStreak: longestStreak(signs, (one) => one > 0),
    longestLossStreak: longestStreak(signs, (one) => one < 0),
  };
}

function holdingTimes(trades: readonly ClosedTrade[], whyAt: WhyAt) {
  const held = trades.map(({ openedAt, closedAt }) => closedAt - openedAt);
  const heldWhere = (which: 1 | -1) => held.filter((_, index) => sign(trades[index]?.netPnl ?? '0') === which);
  const or = (name: string, value: number | null, reason = NO_TRADES) => value ?? undefinedFigure(whyAt(name), reason);
  return {
    meanHoldingMs: or('meanHoldingMs', mean(held)),
    medianHoldingMs: or('medianHoldingMs', quantile(held, 0.5)),
    shortestHoldingMs: or('shortestHoldingMs', quantile(held, 0)),
    longestHoldingMs: or('longestHoldingMs', quantile(held, 1)),
    meanHoldingWinsMs: or('meanHoldingWinsMs', mean(heldWhere(1)), 'No trade won.'),
    meanHoldingLossesMs: or('meanHoldingLossesMs', mean(heldWhere(-1)), 'No trade lost.'),
  };
}

function excursions(trades: readonly ClosedTrade[], whyAt: WhyAt) {
  const worst = trades.map(({ mae }) => mae);
  const best = trades.map(({ mfe }) => mfe);
  const or = (name: string, value: number | null) => value ?? undefinedFigure(whyAt(name), NO_TRADES);
  return {
    averageMae: or('averageMae', mean(worst)),
    averageMfe: or('averageMfe', mean(best)),
    worstMae: or('worstMae', quantile(worst, 0)),
    bestMfe: or('bestMfe', quantile(best, 1)),
  };
}

/**
 * Cuts an amount by shares, exactly: each part is rounded to 12 places and the last one takes the rest. Shares that do
 * not sum to 1 are scaled to it; without a positive share there are no parts.
 */
export function cut(amount: Decimal, shares: readonly number[]): Decimal[] {
  const whole = shares.reduce((a, b) => a + b, 0);
  if (!(whole > 0)) return [];
  let rest = amount;
  return shares.map((share, index) => {
    if (index === shares.length - 1) return rest;
    const part = mul(amount, fromNumber(share / whole), 12);
    rest = sub(rest, part);
    return part;
  });
}

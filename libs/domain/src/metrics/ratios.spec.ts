import {
  annualReturn,
  calmar,
  conditionalValueAtRisk,
  kurtosis,
  maxDrawdown,
  omega,
  profitFactor,
  quantile,
  sharpe,
  skewness,
  sortino,
  tailRatio,
  totalReturn,
  valueAtRisk,
  winRate,
} from '.';

const RETURNS = [0.02, -0.01, 0.015, 0, -0.03, 0.01, 0.005, -0.002, 0.012, -0.008];

describe('figures of returns', () => {
  it('[US3-5] ten returns give the figures that were computed elsewhere', () => {
    expect(sharpe(RETURNS, 365)).toBeCloseTo(1.558472, 6);
    expect(sortino(RETURNS, 365)).toBeCloseTo(2.218411, 6);
    expect(maxDrawdown(RETURNS)).toBeCloseTo(-0.03, 12);
    expect(totalReturn(RETURNS)).toBeCloseTo(0.011074842, 9);
    expect(annualReturn(RETURNS, 365)).toBeCloseTo(0.494826, 6);
    expect(calmar(annualReturn(RETURNS, 365), maxDrawdown(RETURNS))).toBeCloseTo(16.494196, 6);
    expect(profitFactor(RETURNS)).toBeCloseTo(1.24, 12);
    expect(omega(RETURNS)).toBeCloseTo(1.24, 12);
    expect(winRate(RETURNS)).toBe(0.5);
  });

  it('[US3-5] a loss on the first day is a drawdown', () => {
    expect(maxDrawdown([-0.05, 0.02])).toBeCloseTo(-0.05, 15);
  });

  it('[US3-5] quantiles are linear between order statistics, the shortfall is the mean of the tail', () => {
    const hundred = Array.from({ length: 101 }, (_, index) => (index - 50) / 1000);
    expect(valueAtRisk(hundred)).toBeCloseTo(-0.045, 15);
    expect(conditionalValueAtRisk(hundred)).toBeCloseTo((-0.05 - 0.049 - 0.048 - 0.047 - 0.046 - 0.045) / 6, 15);
    expect(tailRatio(hundred)).toBeCloseTo(1, 12);
    expect(quantile([4, 1, 3, 2], 0.25)).toBe(1.75);
    expect(quantile([4, 1, 3, 2], 0.5)).toBe(2.5);
  });

  it('[US3-5] skew and kurtosis are the unbiased ones of spreadsheets and pandas', () => {
    // SKEW and KURT of the numbers in the spreadsheet manuals of Excel.
    const numbers = [3, 4, 5, 2, 3, 4, 5, 6, 4, 7];
    expect(skewness(numbers)).toBeCloseTo(0.359543071, 9);
    expect(kurtosis(numbers)).toBeCloseTo(-0.151799637, 9);
  });

  it('[US3-5] what is undefined is null and says why', () => {
    const reasons: string[] = [];
    const why = (reason: string) => void reasons.push(reason);
    expect(sharpe([0.01], 365, why)).toBeNull();
    expect(sharpe([0.01, 0.01, 0.01], 365, why)).toBeNull();
    expect(sortino([0.01, 0.02], 365, why)).toBeNull();
    expect(calmar(0.1, 0, why)).toBeNull();
    expect(omega([0.01], 0, why)).toBeNull();
    expect(profitFactor([0.01], why)).toBeNull();
    expect(valueAtRisk([], 0.05, why)).toBeNull();
    expect(skewness([1, 2], why)).toBeNull();
    expect(kurtosis([1, 2, 3], why)).toBeNull();
    expect(annualReturn([-1.5], 365, why)).toBeNull();
    expect(annualReturn([], 365, why)).toBeNull();
    expect(tailRatio([0, 0], why)).toBeNull();
    expect(reasons).toHaveLength(12);
    expect(reasons.every((reason) => reason.endsWith('.'))).toBe(true);
  });

  it('[US3-5] equal returns do not vary, even when rounding says otherwise', () => {
    const equities = Array.from({ length: 50 }, (_, index) => 100 * 1.001 ** index);
    const returns = equities.slice(1).map((equity, index) => equity / (equities[index] ?? 0) - 1);
    expect(new Set(returns).size).toBeGreaterThan(1);
    expect(sharpe(returns, 365)).toBeNull();
  });
});

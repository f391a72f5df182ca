/** What the score is made of. */
export interface RiskFactors {
  /** Gross exposure ÷ equity. */
  leverage: number;
  /** Distance to liquidation of the nearest position, as a fraction of its mark; null when none can be liquidated. */
  nearestDistance: number | null;
  /** Fraction below the peak. */
  drawdown: number;
  /** Largest position's share of the gross exposure, 0–1. */
  concentration: number;
}

/** From here on a factor is as bad as it gets; a distance is as good as it gets at `safeDistance`. */
export const RISK_SCORE_BOUNDS = {
  leverage: 10,
  /** The bound of `risk.critical`. */
  criticalDistance: 0.1,
  safeDistance: 0.5,
  drawdown: 0.25,
} as const;

/** How much of the score a factor can reach alone. */
const WEIGHTS = { liquidation: 1, leverage: 0.6, drawdown: 0.5, concentration: 0.2 } as const;

/**
 * Risk of a portfolio, 0 (none) to 100, two decimals.
 *
 *     score = 100 · (1 − Π (1 − wᵢ · xᵢ))
 *
 * where each xᵢ is a factor scaled to 0–1: liquidation (0.5 − distance) ÷ 0.4, leverage ÷ 10, drawdown ÷ 25 %, and
 * concentration × the leverage factor; the weights wᵢ are 1, 0.6, 0.5 and 0.2. Every factor raises the score, none
 * hides another, and a position at the critical distance of 10 % is 100 by itself.
 */
export function riskScore(factors: RiskFactors): number {
  const { leverage, criticalDistance, safeDistance, drawdown } = RISK_SCORE_BOUNDS;
  const leverageShare = unit(factors.leverage / leverage);
  const distance = factors.nearestDistance ?? safeDistance;
  const liquidationShare = unit((safeDistance - distance) / (safeDistance - criticalDistance));
  const safe =
    (1 - WEIGHTS.liquidation * liquidationShare) *
    (1 - WEIGHTS.leverage * leverageShare) *
    (1 - WEIGHTS.drawdown * unit(factors.drawdown / drawdown)) *
    (1 - WEIGHTS.concentration * unit(factors.concentration) * leverageShare);
  return Math.round((1 - safe) * 10_000) / 100;
}

function unit(value: number): number {
  return value < 0 ? 0 : value > 1 ? 1 : value;
}

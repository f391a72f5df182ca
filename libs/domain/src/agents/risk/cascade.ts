import type { EventData } from '@moon/events';
import { num15 } from '../../money';
import type { PositionValue } from '../../portfolio';
import { percent, type Watch } from './episodes';
import { valueNow } from './assess';
import type { RiskAgentConfig } from './config';

type Liquidations = EventData<'liquidation.event'>;

/** What an impact says when there is exposure and no equity behind it. */
const LARGEST_IMPACT = 1_000;

/**
 * Impact of liquidations on a portfolio: the loss to be expected, as a share of equity.
 *
 *     adverse  = liquidated longs when the portfolio is net long the token, liquidated shorts when net short
 *     pressure = adverse ÷ (adverse + depth), weighted when the normaliser sees no cascade
 *     impact   = |net exposure| ÷ equity × worst move × pressure
 *
 * Liquidated longs are forced sales, which hurt who is long; nothing is expected of those that help.
 */
export function cascadeImpact(
  positions: readonly PositionValue[],
  equity: number,
  event: Pick<Liquidations, 'token' | 'longNotional' | 'shortNotional' | 'cascade_indicator'>,
  config: RiskAgentConfig['cascade'],
): number {
  let net = 0;
  for (const { token, quantity, exposure } of positions) {
    if (token === event.token) net += quantity > 0 ? exposure : -exposure;
  }
  if (net === 0) return 0;
  const adverse = net > 0 ? event.longNotional : event.shortNotional;
  const weight = event.cascade_indicator ? 1 : config.calmWeight;
  const pressure = (adverse / (adverse + config.depth)) * weight;
  const expected = Math.abs(net) * config.worstMove * pressure;
  if (expected === 0) return 0;
  return equity > 0 ? Math.min(expected / equity, LARGEST_IMPACT) : LARGEST_IMPACT;
}

/**
 * Evaluates liquidations against the portfolio (RSK-3) and reports an impact above the threshold once, and again when
 * it has grown by `worsenBy`; the report is over when the impact has fallen, or after a window without a breach.
 */
export function onLiquidations(watch: Watch, event: Liquidations): void {
  const { config, state, out } = watch;
  const value = valueNow(watch);
  if (value === null) return;
  const { token, liquidation_count: liquidationCount, windowMs } = event;
  const { threshold, worsenBy } = config.cascade;
  const impact = cascadeImpact(value.positions, value.equity, event, config.cascade);
  const reported = state.cascades[token];
  const isStale = reported !== undefined && out.now - reported.lastAt > windowMs;
  if (impact <= threshold) {
    if (reported !== undefined && (isStale || impact < threshold * config.clearShare)) delete state.cascades[token];
    return;
  }
  if (reported !== undefined && !isStale && impact < reported.impact * worsenBy) {
    reported.lastAt = out.now;
    return;
  }
  state.cascades[token] = { impact, lastAt: out.now };
  const recommendedReduction = num15(1 - threshold / impact);
  const message =
    `${liquidationCount} liquidations of ${token} within ${windowMs / 1_000} s: a loss of ${percent(impact)} of the ` +
    `equity is to be expected; giving up ${percent(recommendedReduction)} of the position brings it to ${percent(threshold)}.`;
  out.emit('risk.cascade_detected', {
    portfolio: out.key,
    token,
    impact: num15(impact),
    threshold,
    liquidationCount,
    recommendedReduction,
    message,
    timestamp: out.now,
  });
}

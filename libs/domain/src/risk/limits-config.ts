import { Type, type Static } from '@sinclair/typebox';
import { completeConfig } from '../agent-kit';

/**
 * Divides the two bounds on the distance to liquidation: force close acts below it, opening orders are refused above it.
 * Their ranges do not overlap, so no configuration can open a position that is closed by force at birth (rule 19).
 */
const DISTANCE_DIVIDE = 0.12;

const multiple = (value: number, description: string) =>
  Type.Number({ default: value, exclusiveMinimum: 0, maximum: 1_000, description });
const amount = (value: number, description: string) =>
  Type.Number({ default: value, exclusiveMinimum: 0, maximum: 1e15, description });
const share = (value: number, description: string) =>
  Type.Number({ default: value, exclusiveMinimum: 0, maximum: 1, description });

/** Bounds of the risk limits. A portfolio overrides any of them by name in the `limits` of its `portfolio.opened`. */
export const limitsConfigSchema = Type.Object(
  {
    max_leverage: multiple(5, 'Highest gross exposure ÷ equity, orders in flight included.'),
    position_limit: multiple(3, 'Highest notional in one token as a multiple of the portfolio value.'),
    position_limit_by_token: Type.Record(Type.String({ minLength: 1, maxLength: 200 }), multiple(1, 'Multiple.'), {
      default: {},
      description: 'position_limit of single tokens.',
    }),
    gross_exposure: amount(10_000_000, 'Highest sum of absolute notionals, in settlement asset.'),
    order_value: amount(1_000_000, 'Highest notional of one order, in settlement asset.'),
    order_quantity: amount(1_000_000, 'Highest quantity of one order, in units of the instrument.'),
    order_quantity_by_instrument: Type.Record(Type.String({ minLength: 1, maxLength: 200 }), amount(1, 'Quantity.'), {
      default: {},
      description: 'order_quantity of single instruments.',
    }),
    price_collar: share(0.05, 'Largest gap between an order’s price and the mark, as a share of the mark.'),
    drawdown_total: share(0.25, 'Loss from the flow-adjusted peak at which nothing is opened any more.'),
    drawdown_day: share(
      0.1,
      'Loss since 00:00 UTC, as a share of the equity then, at which nothing is opened any more.',
    ),
    orders_per_second: Type.Integer({
      default: 10,
      minimum: 1,
      maximum: 10_000,
      description: 'Most orders approved within one second of event time.',
    }),
    duplicate_order: Type.Integer({
      default: 1_000,
      minimum: 0,
      maximum: 3_600_000,
      description:
        'Milliseconds within which an order of the same content counts as sent twice. 0 = only one and the same order id.',
    }),
    liquidation_distance: Type.Number({
      default: 0.15,
      exclusiveMinimum: DISTANCE_DIVIDE,
      maximum: 1,
      description: 'Least distance to liquidation that an order which opens or adds must leave.',
    }),
    critical_distance: Type.Number({
      default: 0.1,
      exclusiveMinimum: 0,
      maximum: DISTANCE_DIVIDE,
      description: 'Distance to liquidation below which a position is closed by force.',
    }),
    price_stale: Type.Integer({
      default: 120_000,
      minimum: 1,
      maximum: 86_400_000,
      description: 'Age of the last price, in milliseconds of event time, above which nothing is opened on it.',
    }),
  },
  { additionalProperties: false, default: {}, description: 'Risk limits, by code.' },
);
export type LimitsConfig = Static<typeof limitsConfigSchema>;

/**
 * The bounds of one portfolio: the schema's defaults, the platform's over them, the portfolio's own over those.
 *
 * @throws Error that names the limit, its value and the rule when a bound does not fit the schema or has no such name.
 */
export function resolveLimits(
  portfolio: string,
  platform: Partial<LimitsConfig>,
  own: Readonly<Record<string, unknown>>,
): LimitsConfig {
  return completeConfig(`limits of portfolio ${portfolio}`, limitsConfigSchema, { ...platform, ...own });
}

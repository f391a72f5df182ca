import { Type, type Static } from '@sinclair/typebox';
import type { AnyEvent, EventData } from '@moon/events';
import { completeConfig, type PartialConfig } from '../agent-kit';
import type { Handler, Outbox } from '../handler';
import { addToSum, createRollingSum, sumAt, type RollingSum } from '../indicators';
import { num15 } from '../money';

export const liquidationNormaliserConfigSchema = Type.Object(
  {
    windowMs: Type.Integer({
      default: 60_000,
      minimum: 1_000,
      maximum: 3_600_000,
      description: 'Window over which liquidations are counted, in milliseconds.',
    }),
    cascadeCount: Type.Integer({
      default: 10,
      minimum: 1,
      description: 'Fewest liquidations in the window that make a cascade.',
    }),
    cascadeNotional: Type.Number({
      default: 100_000,
      minimum: 0,
      description: 'Least notional (quote currency, longs and shorts together) in the window that makes a cascade.',
    }),
  },
  { additionalProperties: false, description: 'Liquidation normaliser: market.liquidation to liquidation.event.' },
);
export type LiquidationNormaliserConfig = Static<typeof liquidationNormaliserConfigSchema>;

/** For one token, over all its instruments and venues. */
export interface LiquidationNormaliserState {
  count: RollingSum;
  longs: RollingSum;
  shorts: RollingSum;
  /** Whether the last event said cascade: then its end has to be said too. */
  cascading: boolean;
}

const CALM = 'calm';

/**
 * Derives `liquidation.event` from every `market.liquidation` of a token (rule 10):
 *
 * - `liquidation_count` = liquidations in (t − windowMs, t]; `longNotional` and `shortNotional` = Σ price × size of those
 *   in which a long (forced order sells) or a short (forced order buys) was closed;
 * - `cascade_indicator` = count ≥ cascadeCount and longNotional + shortNotional ≥ cascadeNotional. Both, since a hundred
 *   liquidations of 5 dollars are no cascade, and neither is a single large one.
 *
 * Sources sample (Binance shows at most one order per symbol and second), so count and notional are lower bounds.
 * A cascade's end is an event as well: when none is left in the window, one with the figures of that moment is emitted.
 */
export function createLiquidationNormaliser(
  given: PartialConfig<LiquidationNormaliserConfig> = {},
): Handler<LiquidationNormaliserState> {
  const config = completeConfig('liquidation normaliser', liquidationNormaliserConfigSchema, given);
  return {
    name: 'normaliser/liquidations',
    role: 'normaliser',
    partitionedBy: 'token',
    consumes: ['market.liquidation'],
    initialState: () => ({
      count: createRollingSum(config.windowMs),
      longs: createRollingSum(config.windowMs),
      shorts: createRollingSum(config.windowMs),
      cascading: false,
    }),
    handle: (event, state, out) => handle(event, state, out, config),
  };
}

function handle(
  event: AnyEvent,
  state: LiquidationNormaliserState,
  out: Outbox,
  config: LiquidationNormaliserConfig,
): void {
  if (event.type === 'market.liquidation') {
    add(event.data, state, out.now);
    const isCascade = tell(state, out, config);
    if (isCascade) out.schedule(CALM, out.now + config.windowMs);
    else if (state.cascading) out.cancel(CALM);
    state.cascading = isCascade;
  } else if (event.type === 'deadline.reached' && state.cascading) {
    state.cascading = false;
    tell(state, out, config);
  }
}

function add(
  { side, price, size }: EventData<'market.liquidation'>,
  state: LiquidationNormaliserState,
  now: number,
): void {
  addToSum(state.count, now, 1);
  addToSum(side === 'sell' ? state.longs : state.shorts, now, price * size);
}

/** Emits the figures of the moment and returns whether they are a cascade. */
function tell(state: LiquidationNormaliserState, out: Outbox, config: LiquidationNormaliserConfig): boolean {
  const count = sumAt(state.count, out.now);
  const longNotional = sumAt(state.longs, out.now);
  const shortNotional = sumAt(state.shorts, out.now);
  const isCascade = count >= config.cascadeCount && longNotional + shortNotional >= config.cascadeNotional;
  out.emit('liquidation.event', {
    token: out.key,
    liquidation_count: count,
    cascade_indicator: isCascade,
    timestamp: out.now,
    longNotional: num15(longNotional),
    shortNotional: num15(shortNotional),
    windowMs: config.windowMs,
  });
  return isCascade;
}

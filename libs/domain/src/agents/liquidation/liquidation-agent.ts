import type { AnyEvent, EventData } from '@moon/events';
import { applyHalt, completeConfig, emitSignal, isWarmup, type PartialConfig } from '../../agent-kit';
import type { Handler, Outbox } from '../../handler';
import { num15 } from '../../money';
import { liquidationAgentConfigSchema, type LiquidationAgentConfig } from './config';
import { newLiquidationState, type Cascade, type LiquidationAgentState } from './state';

const OVER = 'over';

/**
 * Liquidation agent: follows each cascade of forced orders from its beginning to its end. The normaliser says that there is
 * one (`cascade_indicator`, by count and notional); it has a direction when `dominance` of the notional lies on one side, and
 * is over when that has not been so for `quietMs`, or when the other side's begins.
 *
 * It is no voter. It signals only when `signals` is set, for portfolios that subscribe to it: `follow` goes with the forced
 * orders while they come (longs liquidated: SELL, shorts liquidated: BUY), at the cascade's beginning and whenever it has
 * become markedly worse; `fade` goes the other way once, when the cascade is over and the forced orders are spent.
 *
 * - severity    q = 1 − 2^(−notional ÷ severeNotional)
 * - score       50 + 50·q
 * - confidence  maxConfidence · share · (1 − 2^(−count ÷ severeCount)); for a fade times `fadeFactor`
 *
 * with notional and share of the dominant side and the count at the cascade's worst moment. Under a global halt it goes on
 * watching and says nothing (TRD-3).
 */
export function createLiquidationAgent(
  given: PartialConfig<LiquidationAgentConfig> = {},
): Handler<LiquidationAgentState> {
  const config = completeConfig('liquidation agent', liquidationAgentConfigSchema, given);
  return {
    name: 'agent/liquidation',
    role: 'agent',
    partitionedBy: 'token',
    consumes: ['liquidation.event'],
    broadcast: ['halt.raised', 'halt.lifted'],
    initialState: newLiquidationState,
    handle: (event, state, out) => handle(event, state, out, config),
  };
}

function handle(event: AnyEvent, state: LiquidationAgentState, out: Outbox, config: LiquidationAgentConfig): void {
  switch (event.type) {
    case 'halt.raised':
    case 'halt.lifted':
      return applyHalt(state.halts, event);
    case 'liquidation.event': {
      const seen = oneSided(event.data, config.dominance);
      if (seen !== null) follow({ ...seen, isLive: !isWarmup(event) }, state, out, config);
      return;
    }
    case 'deadline.reached':
      return end(state, out, config);
    default:
      return;
  }
}

function follow(seen: Cascade, state: LiquidationAgentState, out: Outbox, config: LiquidationAgentConfig): void {
  if (state.cascade !== null && state.cascade.side !== seen.side) end(state, out, config);
  if (state.cascade === null) state.counts.cascades += 1;
  state.cascade = state.cascade === null ? seen : worse(state.cascade, seen);
  out.schedule(OVER, out.now + config.quietMs);
  if (config.signals === 'follow' && seen.isLive) signalGrowth(state.cascade, state, out, config);
}

function end(state: LiquidationAgentState, out: Outbox, config: LiquidationAgentConfig): void {
  const { cascade } = state;
  state.cascade = null;
  if (cascade?.isLive === true && config.signals === 'fade') signal(cascade, state, out, config);
}

/** The cascade that the event tells of, or null when there is none or it has no direction. */
function oneSided(data: EventData<'liquidation.event'>, dominance: number): Cascade | null {
  const { longNotional, shortNotional, liquidation_count: count, timestamp: startedAt } = data;
  const total = longNotional + shortNotional;
  const side = longNotional >= shortNotional ? 'longs' : 'shorts';
  const notional = Math.max(longNotional, shortNotional);
  if (!data.cascade_indicator || total <= 0 || notional / total < dominance) return null;
  return { side, startedAt, count, notional, share: notional / total, isLive: true, signalled: null };
}

function worse(cascade: Cascade, seen: Cascade): Cascade {
  const isLive = cascade.isLive || seen.isLive;
  if (seen.notional <= cascade.notional) return { ...cascade, isLive };
  return { ...seen, startedAt: cascade.startedAt, isLive, signalled: cascade.signalled };
}

function severity(cascade: Cascade, config: LiquidationAgentConfig): number {
  return 1 - 2 ** (-cascade.notional / config.severeNotional);
}

function signalGrowth(
  cascade: Cascade,
  state: LiquidationAgentState,
  out: Outbox,
  config: LiquidationAgentConfig,
): void {
  const now = severity(cascade, config);
  if (cascade.signalled !== null && now < cascade.signalled + config.strengthenBy) return;
  cascade.signalled = now;
  signal(cascade, state, out, config);
}

function signal(cascade: Cascade, state: LiquidationAgentState, out: Outbox, config: LiquidationAgentConfig): void {
  if (state.halts.length > 0) {
    state.counts.withheld += 1;
    return;
  }
  const isFade = config.signals === 'fade';
  const certainty = config.maxConfidence * cascade.share * (1 - 2 ** (-cascade.count / config.severeCount));
  const view = {
    action: (cascade.side === 'longs') === isFade ? ('BUY' as const) : ('SELL' as const),
    score: 50 + 50 * severity(cascade, config),
    confidence: isFade ? certainty * config.fadeFactor : certainty,
    reason: `${cascade.count} liquidations, ${Math.round(cascade.notional)} of ${cascade.side} forced out: the cascade ${isFade ? 'is over' : 'goes on'}`,
  };
  const context = {
    liquidations: cascade.count,
    notional: num15(cascade.notional),
    share: num15(cascade.share),
    side: cascade.side,
  };
  emitSignal(out, config.agent, view, { context });
  state.counts.signals += 1;
}

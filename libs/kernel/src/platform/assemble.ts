import type { AnyEvent } from '@moon/events';
import {
  createAgents,
  createDeciders,
  isTerminal,
  type ExecutionState,
  type Handler,
  type PlatformConfig,
} from '@moon/domain';
import { ruleBasedModelAdapter, type ModelLatency } from '../adapters/rule-based-model';
import { Engine } from '../core/engine';
import type { EngineOptions, RemoteHandlers } from '../core/engine-options';
import type { LogSink } from '../ports/log-sink';
import { orderEffects } from '../venue-link/order-effects';
import type { OrderToSend } from '../venue-link/order-inputs';
import { reconciler } from '../venue-link/reconciler';
import type { VenueLink } from '../venue-link/venue-link';

export interface AssembleOptions {
  config: PlatformConfig;
  log: LogSink;
  link: VenueLink;
  headers: AnyEvent['headers'];
  sign: (portfolio: string, payload: string) => string;
  nextNonce: () => number;
  modelLatency: ModelLatency;
  /** Life of signed orders, run-time ms. */
  orderTimeToLiveMs: number;
  /** Pause before a silent venue is asked again, run-time ms. */
  venueRetryMs: number;
  /** Agents that live in other threads; without it they live in this one. */
  remote?: RemoteHandlers;
  agents?: readonly Handler[];
  isGuarded?: boolean;
  /** Handlers of a part of the platform; without it: all. */
  handlers?: readonly Handler[];
  /** See `EngineOptions`. */
  isLockstep?: boolean;
  shard?: string;
  /** Users' agents that live in this thread (backtests); they hear every event after everybody else. */
  strategies?: readonly Handler[];
  settle?: EngineOptions['settle'];
  onEvent?: EngineOptions['onEvent'];
  onRequest: NonNullable<EngineOptions['onRequest']>;
  onFailure?: EngineOptions['onFailure'];
  onParkedFull?: EngineOptions['onParkedFull'];
}

/**
 * Wires the platform: the same handlers and adapters for every runtime. What differs is what drives the engine, where
 * its log goes, which venue stands behind the link, and whether the agents have a thread of their own.
 */
export function assemble(options: AssembleOptions): Engine {
  const { config, link, headers } = options;
  const handlers = options.handlers ? [...options.handlers] : createDeciders(config);
  if (!options.remote && !options.handlers) handlers.push(...(options.agents ?? createAgents(config)));
  handlers.push(...(options.strategies ?? []));
  const engine: Engine = new Engine({
    handlers,
    log: options.log,
    isGuarded: options.isGuarded,
    isLockstep: options.isLockstep,
    ...(options.shard !== undefined && { shard: options.shard }),
    remote: options.remote,
    settle: options.settle,
    companions: [link],
    adapters: [
      ruleBasedModelAdapter(options.modelLatency),
      ...orderEffects({
        link,
        headers,
        order: (portfolio, orderId) => orderToSend(engine, portfolio, orderId),
        sign: options.sign,
        nextNonce: options.nextNonce,
        timeToLiveMs: options.orderTimeToLiveMs,
        retryMs: options.venueRetryMs,
      }),
      reconciler({
        link,
        headers,
        retryMs: options.venueRetryMs,
        fold: (portfolio) => executionState(engine, portfolio)?.portfolio ?? null,
      }),
    ],
    onEvent: (event, seq) => {
      link.observe(event);
      options.onEvent?.(event, seq);
    },
    onRequest: options.onRequest,
    onFailure: options.onFailure,
    onParkedFull: options.onParkedFull,
  });
  return engine;
}

/** The owner's fold of one portfolio and its orders. */
export function executionState(engine: Engine, portfolio: string): ExecutionState | undefined {
  return engine.host.state<ExecutionState>('execution', portfolio);
}

function orderToSend(engine: Engine, portfolio: string, orderId: string): OrderToSend | undefined {
  const state = executionState(engine, portfolio);
  const order = state?.orders[orderId];
  if (!state || !order) return undefined;
  const { clientOrderId, nonce, expiresAt, payload, signature } = order;
  const isStored =
    clientOrderId !== undefined && nonce !== undefined && expiresAt !== undefined && payload !== undefined;
  return {
    instrument: order.instrument,
    side: order.side,
    quantity: order.quantity,
    orderType: order.orderType,
    limitPrice: order.limitPrice,
    stopPrice: order.stopPrice,
    timeInForce: order.timeInForce,
    reduceOnly: order.reduceOnly,
    isForceClose: order.origin === 'force_close',
    attempt: order.attempt,
    status: order.status,
    isTerminal: isTerminal(order.status),
    submission: isStored ? { clientOrderId, nonce, expiresAt, payload, signature: signature ?? '' } : null,
    halts: haltsOf(engine, state, portfolio),
  };
}

const NO_HALTS: readonly string[] = [];

function haltsOf(engine: Engine, state: ExecutionState, portfolio: string): readonly string[] {
  const own = state.portfolio?.halts ?? [];
  const isParked = engine.parking.get('execution', portfolio) !== undefined;
  if (own.length === 0 && state.globalHalts.length === 0 && !isParked) return NO_HALTS;
  return [
    ...[...own, ...state.globalHalts].map((halt) => `${halt.source} (${halt.reason})`),
    // An owner that stopped at a poisoned event can fold no halt (rule 25): it counts as one.
    ...(isParked ? ['parking:execution (parked_key)'] : []),
  ];
}

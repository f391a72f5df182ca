import type { AnyEvent } from '@moon/events';
import { venueSources, type Handler, type PlatformConfig } from '@moon/domain';
import {
  startRecordedRun,
  VolatileEventStore,
  type EventStore,
  type InputSource,
  type ModelLatency,
  type RunResult,
  type VenuePort,
} from '@moon/kernel';
import { unsigned } from '../signing/paper-signer';
import { StrategyGuard, withVoters, type Strategy, type StrategyFailures, type StrategyWatch } from '../strategies';
import { createVenueEngine, type PartialVenueConfig, type VenueEngine } from '../venue';

export interface ReplayOptions {
  /** Name of the run, and version of the code, as `config.activated` says them; default: replay. */
  runId?: string;
  codeVersion?: string;
  platform: PlatformConfig;
  source: InputSource;
  /** Instruments that the inputs price, and those whose funding they hold. */
  feedInstruments: readonly string[];
  fundingInstruments?: readonly string[];
  /** Time of the first input, ms. */
  startsAt: number;
  modelLatency: ModelLatency;
  orderTimeToLiveMs: number;
  venue?: PartialVenueConfig;
  refusedByReason?: Readonly<Record<string, number>>;
  /** Users' agents; each votes in the consensus with its weight. Loaded for this replay alone (`loadStrategies`). */
  strategies?: readonly Strategy[];
  /** Tells a watchdog outside which strategy is at work. */
  strategyWatch?: StrategyWatch;
  /** Where the log goes; default: nowhere, it is only counted and hashed. */
  store?: EventStore;
  agents?: readonly Handler[];
  /**
   * Keep the way back to before a delivery that throws, so that an agent's failure is skipped as it is live (rule 25).
   * Without it, which is faster, the first failure ends the replay with `UnguardedFailure`.
   */
  isGuarded?: boolean;
  onEvent?: (event: AnyEvent, seq: number) => void;
  /** Fires when the replay is to end after the present input. */
  signal?: AbortSignal;
}

export interface ReplayResult extends RunResult {
  /** SHA-256 over all event ids in order; null when the log went to a store of the caller's. */
  eventHash: string | null;
  /** False when it was ended by its signal before the last input. */
  isComplete: boolean;
  /** Strategies that failed: each failed delivery was skipped, as it is live, and the run went on (rule 25). */
  strategyFailures: StrategyFailures[];
}

/**
 * The replay runtime: the same handlers, limits, venue engine and ledger as everywhere, in virtual time, with nothing
 * outside. Nothing of it can reach a live log, venue or cache, because it holds none.
 *
 * @throws StrategyBroken when a strategy's state is no plain JSON: the run ends at once
 */
export async function replay(options: ReplayOptions): Promise<ReplayResult> {
  const { feedInstruments, fundingInstruments = [], strategies = [] } = options;
  const platform = withVoters(options.platform, strategies);
  const guard = new StrategyGuard(strategies, options.strategyWatch);
  const sources = venueSources(platform, feedInstruments, fundingInstruments, {
    priceSources: options.venue?.priceSources ?? {},
    fundingSources: options.venue?.fundingSources ?? {},
  });
  const store = options.store ?? new VolatileEventStore(true);
  const run = await startRecordedRun({
    runId: options.runId ?? 'replay',
    codeVersion: options.codeVersion ?? 'replay',
    platform,
    store,
    venue: venueOf(createVenueEngine({ ...options.venue, ...sources })),
    isVenueRemote: false,
    ...(store instanceof VolatileEventStore ? { log: store } : {}),
    nextNonce: counterFrom(options.startsAt),
    isGuarded: options.isGuarded ?? false,
    signer: unsigned,
    source: options.source,
    refusedByReason: options.refusedByReason ?? {},
    feedInstruments,
    startsAt: options.startsAt,
    modelLatency: options.modelLatency,
    orderTimeToLiveMs: options.orderTimeToLiveMs,
    speed: null,
    checkpointMs: Number.POSITIVE_INFINITY,
    agents: options.agents,
    strategyHandlers: guard.handlers,
    strategyRecords: strategies.map(({ record }) => record),
    onEvent: (event, seq) => {
      if (guard.broken) throw guard.broken;
      options.onEvent?.(event, seq);
    },
  });
  const { signal } = options;
  const stop = (): void => run.stop();
  if (signal?.aborted === true) stop();
  signal?.addEventListener('abort', stop);
  try {
    const { result, isComplete } = await run.run();
    guard.checkStates(run.engine.host.states());
    const eventHash = store instanceof VolatileEventStore ? store.eventHash() : null;
    return { ...result, eventHash, isComplete, strategyFailures: guard.failures };
  } catch (error) {
    // What a broken strategy brings about later, when its state is made again, is only its consequence.
    throw guard.broken ?? error;
  } finally {
    signal?.removeEventListener('abort', stop);
  }
}

/** Nonces of a venue that begins with the replay: the same at every repeat. */
function counterFrom(start: number): () => number {
  let last = start;
  return () => (last += 1);
}

/** The engine behind the Venue port, with books that live as long as the replay. */
function venueOf(engine: VenueEngine): VenuePort {
  return {
    name: 'paper',
    openAccount: (spec) => engine.openAccount(spec),
    market: (event) => engine.market(event),
    advanceTo: (ms) => engine.advanceTo(ms),
    nextDueAt: () => engine.nextDueAt(),
    submit: (order) => engine.submit(order),
    cancel: (request) => engine.cancel(request),
    query: (portfolio, clientOrderId) => engine.query(portfolio, clientOrderId),
    reportsSince: (portfolio, venueSeq) => engine.reportsSince(portfolio, venueSeq),
    marketCauses: () => ({}),
    books: (portfolio) => engine.books(portfolio),
  };
}

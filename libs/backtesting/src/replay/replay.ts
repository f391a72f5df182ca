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
import { createVenueEngine, type PartialVenueConfig, type VenueEngine } from '../venue';

export interface ReplayOptions {
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
  /** Where the log goes; default: nowhere, it is only counted and hashed. */
  store?: EventStore;
  agents?: readonly Handler[];
  onEvent?: (event: AnyEvent, seq: number) => void;
}

export interface ReplayResult extends RunResult {
  /** SHA-256 over all event ids in order; null when the log went to a store of the caller's. */
  eventHash: string | null;
}

/**
 * The replay runtime: the same handlers, limits, venue engine and ledger as everywhere, in virtual time, with nothing
 * outside. Nothing of it can reach a live log, venue or cache, because it holds none.
 */
export async function replay(options: ReplayOptions): Promise<ReplayResult> {
  const { platform, feedInstruments, fundingInstruments = [] } = options;
  const sources = venueSources(platform, feedInstruments, fundingInstruments, {
    priceSources: options.venue?.priceSources ?? {},
    fundingSources: options.venue?.fundingSources ?? {},
  });
  const store = options.store ?? new VolatileEventStore(true);
  const run = await startRecordedRun({
    runId: 'replay',
    codeVersion: 'replay',
    platform,
    store,
    venue: venueOf(createVenueEngine({ ...options.venue, ...sources })),
    isVenueRemote: false,
    ...(store instanceof VolatileEventStore ? { log: store } : {}),
    nextNonce: counterFrom(options.startsAt),
    isGuarded: false,
    signer: unsigned,
    source: options.source,
    refusedByReason: options.refusedByReason ?? {},
    feedInstruments,
    startsAt: options.startsAt,
    modelLatency: options.modelLatency,
    orderTimeToLiveMs: options.orderTimeToLiveMs,
    speed: null,
    checkpointMs: Number.POSITIVE_INFINITY,
    onEvent: options.onEvent,
    agents: options.agents,
  });
  const { result } = await run.run();
  return { ...result, eventHash: store instanceof VolatileEventStore ? store.eventHash() : null };
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

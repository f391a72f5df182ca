import { join } from 'node:path';
import { paperSigner, type PartialVenueConfig } from '@moon/backtesting';
import { venueSources, type Handler, type PlatformConfig } from '@moon/domain';
import { countOrders, LocalJournalFile } from '@moon/infra';
import {
  accountSpecs,
  assemble,
  Engine,
  groupPlans,
  notCompared,
  PARKED_FULL,
  Reconciliation,
  risingNonce,
  ruleBasedModelAdapter,
  VenueLink,
  type GroupPlan,
  type ShardWiring,
  type VenuePort,
} from '@moon/kernel';
import type { CacheGate } from './cache-gate';
import type { Connections } from './connections';
import { headersOf, type ShardSpec } from './group-host';
import { portfolioEvents, settingsEvents } from './settings-events';
import { seldom } from './seldom';

/** So much risk still hears while the store is away, in messages and outputs: minutes, and some hundred megabytes at most. */
const HIGH_WATER = 100_000;
/** Pause before a silent venue is asked again, run-time ms. */
const VENUE_RETRY_MS = 500;

export interface SpecContext {
  plan: GroupPlan;
  connections: Connections;
  codeVersion: string;
}

/** Shards of agents, normalisers and consensus: handlers alone, or with a model. */
export function plainSpec({ plan, connections, codeVersion }: SpecContext, index: number): ShardSpec {
  const { config, clock, emitted } = connections;
  const shard = `${plan.name}#${index}`;
  const headers = headersOf(connections);
  return {
    platform: config.platform,
    createEngine: ({ log, onRequest }, under) =>
      new Engine({
        handlers: handlersUnder(plan, under.platform, config.platform),
        settle: under.emitted.settle,
        adapters: plan.effects === 'model' ? [ruleBasedModelAdapter(config.model)] : [],
        log,
        onRequest,
        shard,
        isLockstep: true,
        onFailure: onFailureOf(connections, plan.name, shard, log),
        onParkedFull: (place) => connections.logger.error({ shard, ...place }, PARKED_FULL),
      }),
    begin: (engine, last) => {
      const at = Math.max(clock.now(), engine.now);
      const { lastSeq: seq } = engine;
      const { platform } = config;
      return Promise.resolve(settingsEvents({ shard, codeVersion, platform, emitted, at, seq, headers, last }));
    },
  };
}

/** Shards of execution: some portfolios, their risk, their force close, and their way to the venue (rule 21). */
export function executionSpec(
  { plan, connections, codeVersion }: SpecContext,
  index: number,
  { venue, gate, ownsKey }: { venue: VenuePort; gate: CacheGate | null; ownsKey: (key: string) => boolean },
): ShardSpec {
  const { config, clock, logger, emitted } = connections;
  const shard = `${plan.name}#${index}`;
  const headers = headersOf(connections);
  const platform: PlatformConfig = {
    ...config.platform,
    portfolios: config.platform.portfolios.filter(({ name }) => ownsKey(name)),
  };
  const portfolios = platform.portfolios.map(({ name }) => name);
  const link = new VenueLink(venue, headers, true, ownsKey);
  let reconciliation: Reconciliation | null = null;
  let leaveGate: (() => void) | null = null;
  const counted = countOrders(connections.metrics);
  return {
    platform,
    venue: link,
    local: new LocalJournalFile(join(config.dataDir, 'while-the-store-is-away'), shard),
    highWater: HIGH_WATER,
    onVenueSilent: seldom<Error>(({ message }, { since }) =>
      logger.warn({ shard, error: message, calls: since }, 'the venue does not answer'),
    ),
    createEngine: ({ log, onRequest }, under) =>
      assemble({
        config: under.platform,
        handlers: handlersUnder(plan, under.platform, platform),
        settle: under.emitted.settle,
        shard,
        isLockstep: true,
        log,
        link,
        headers,
        sign: (portfolio, payload) => paperSigner.sign(portfolio, payload),
        nextNonce: risingNonce(),
        modelLatency: config.model,
        orderTimeToLiveMs: config.venue.orderTimeToLiveMs * config.clock.pace,
        venueRetryMs: VENUE_RETRY_MS,
        onRequest,
        // What the journal has is handled again: an owner before this one counted it.
        onEvent: (event, seq) => void (seq > log.durableSeq && counted(event)),
        onFailure: onFailureOf(connections, plan.name, shard, log),
        onParkedFull: (place) => logger.error({ shard, ...place }, PARKED_FULL),
      }),
    begin: async (engine, last) => {
      const at = Math.max(clock.now(), engine.now);
      for (const spec of accountSpecs(platform, at, paperSigner)) await venue.openAccount(spec);
      const missed = await link.resume(portfolios, false);
      const feedInstruments = config.feed.tokens.map((token) => `${token}.HYPERLIQUID`);
      return [
        ...settingsEvents({ shard, codeVersion, platform, emitted, at, seq: engine.lastSeq, headers, last }),
        ...portfolioEvents(engine, platform, { at, headers, feedInstruments, shard }),
        ...notCompared(engine, portfolios, at, headers),
        ...missed,
      ];
    },
    onLive: async (engine, submit, end) => {
      leaveGate = gate?.add({ engine, portfolios, submit }) ?? null;
      reconciliation = new Reconciliation({
        ...{ engine, link, headers, submit, onFatal: end },
        now: () => Math.max(clock.now(), engine.now),
        onProblem: (message, context) => logger.warn({ shard, ...context }, message),
      });
      await reconciliation.start(portfolios);
    },
    onClose: () => {
      reconciliation?.stop();
      leaveGate?.();
    },
  };
}

/** The paper venue's part of the settings: what each of its instruments is priced by. */
export function paperVenueConfig({ config }: Pick<Connections, 'config'>): PartialVenueConfig {
  const instruments = config.feed.tokens.map((token) => `${token}.HYPERLIQUID`);
  return { ...config.venue.paper, ...venueSources(config.platform, instruments, instruments, config.venue.paper) };
}

/** The handlers of a group under its own settings, or under those of its past. @throws Error they know no such group */
function handlersUnder(plan: GroupPlan, under: PlatformConfig, own: PlatformConfig): readonly Handler[] {
  if (under === own) return plan.handlers;
  const past = groupPlans(under).find(({ name }) => name === plan.name);
  if (past) return past.handlers;
  throw new Error(`The settings that group ${plan.name} was left with cannot be wired by this version of the code.`);
}

function onFailureOf(
  { logger, metrics }: Connections,
  group: string,
  shard: string,
  log: ShardWiring['log'],
): NonNullable<ConstructorParameters<typeof Engine>[0]['onFailure']> {
  return ({ handler, key, event, error }) => {
    const { id, correlationId } = event;
    // What failed before and is handled again was counted then.
    if (log.hasNew) metrics.count('moon_handler_failures_total', { group });
    logger.warn({ shard, handler, key, event: id, correlationId, error: error.message }, 'handler failed');
  };
}

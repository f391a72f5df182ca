import { inputId, type AnyEvent, type EmitData, type EventType } from '@moon/events';
import type { PlatformConfig } from '@moon/domain';
import {
  accountSpecs,
  assemble,
  builtInAgents,
  executionState,
  LiveRuntime,
  LogWriter,
  reconcileAll,
  recover,
  risingNonce,
  runResult,
  saveCheckpoint,
  startEvents,
  ThreadedAgents,
  VenueLink,
  type Clock,
  type Engine,
  type EventStore,
  type Feed,
  type ModelLatency,
  type OrderSigner,
  type RunResult,
  type VenuePort,
} from '@moon/kernel';
import { AgentWatch } from './agent-watch';

export interface LiveRunOptions {
  runId: string;
  codeVersion: string;
  platform: PlatformConfig;
  store: EventStore;
  venue: VenuePort;
  isVenueRemote: boolean;
  signer: OrderSigner;
  feed: Feed;
  clock: Clock;
  modelLatency: ModelLatency;
  orderTimeToLiveMs: number;
  agentTimeoutMs: number;
  /** Modules of users' agents, each for a thread of its own. */
  userAgents: readonly string[];
  checkpointMs: number;
  onEvent?: (event: AnyEvent, seq: number) => void;
  onProblem: (message: string, context: Record<string, unknown>) => void;
  onFatal: (error: Error) => void;
}

export interface LiveRun {
  engine: Engine;
  runtime: LiveRuntime;
  agents: ThreadedAgents;
  log: LogWriter;
  refusedByReason: Record<string, number>;
  /** Names of all agents, once their threads are up. */
  agentsReady(): Promise<string[]>;
  /** Lets market data in; everything before it has been recovered and reconciled. */
  begin(): Promise<void>;
  /** Takes an input of the process itself (operational events, operator commands). */
  input<T extends EventType>(type: T, key: string, data: EmitData<T>): void;
  /** Stops the feed, handles what is under way, takes a checkpoint and stores everything. */
  stop(): Promise<RunResult>;
}

/** Retry of a venue that is silent, wall ms. */
const VENUE_RETRY_MS = 500;

/** Runs the platform on a live or synthetic feed: recovery, venue, agents in threads, checkpoints. */
export async function startLiveRun(options: LiveRunOptions): Promise<LiveRun> {
  const { store, platform, feed, clock, venue } = options;
  const headers: AnyEvent['headers'] = { mode: feed.mode };
  const portfolios = platform.portfolios.map((portfolio) => portfolio.name);
  const refusedByReason: Record<string, number> = {};
  const log = new LogWriter(store, await store.lastSeq(), {
    onFatal: options.onFatal,
    onRetry: (error, attempt) =>
      options.onProblem('store write failed, trying again', { error: error.message, attempt }),
  });
  const link = new VenueLink(venue, headers, options.isVenueRemote);
  let runtime: LiveRuntime | null = null;
  const watch = new AgentWatch(
    store,
    log,
    () => engine,
    headers,
    (event) => runtime?.submit(event),
    options.onProblem,
  );
  const agents = new ThreadedAgents({
    modules: [builtInAgents(platform), ...options.userAgents.map((path) => ({ path, config: {} }))],
    timeoutMs: options.agentTimeoutMs,
    readLog: (from) => watch.readLog(from),
    onOutput: (output) => watch.accept(output, () => runtime?.wake()),
    onTimeout: (timeout) => watch.timedOut(timeout),
    onSkip: (timeout) => watch.skip(timeout),
    onCrash: (names, error) =>
      options.onProblem('agent thread died and is started again', { agents: names, error: error.message }),
  });
  const engine: Engine = assemble({
    config: platform,
    log,
    link,
    headers,
    sign: (portfolio, payload) => options.signer.sign(portfolio, payload),
    nextNonce: risingNonce(),
    modelLatency: options.modelLatency,
    orderTimeToLiveMs: options.orderTimeToLiveMs,
    venueRetryMs: VENUE_RETRY_MS,
    remote: agents,
    onEvent: options.onEvent,
    onRequest: (request) => runtime?.request(request),
    onFailure: (failure) =>
      options.onProblem('handler failed', {
        handler: failure.handler,
        key: failure.key,
        event: failure.event.id,
        error: failure.error.message,
      }),
  });
  const recovered = await recover({
    store,
    engine,
    observe: (event) => link.observe(event),
    startAgents: (start) => agents.start(start),
    agentsIdle: async () => {
      agents.flush();
      await agents.idle(60_000);
    },
  });
  watch.recoveredUpTo(engine.lastSeq);
  const at = Math.max(clock.now(), engine.now);
  for (const spec of accountSpecs(platform, at, options.signer)) await venue.openAccount(spec);
  runtime = new LiveRuntime({ engine, log, clock, headers, venue: link, agents, onFatal: options.onFatal });
  const live = runtime;
  const isNew = engine.lastSeq === 0;
  const { runId, codeVersion } = options;
  const start = await startEvents(
    { runId, codeVersion, platform, at, feedInstruments: feed.instruments(), headers },
    store,
  );
  const known = new Set(portfolios.filter((name) => executionState(engine, name)?.portfolio));
  const fresh = start.filter(
    (event) =>
      isNew ||
      event.type === 'config.activated' ||
      (event.key !== 'system' && event.type.startsWith('portfolio.') && !known.has(event.key)),
  );
  const missed = await link.resume(portfolios, false);
  let checkpoints: NodeJS.Timeout | null = null;

  const input = <T extends EventType>(type: T, key: string, data: EmitData<T>): void => {
    live.submit(processEvent(type, key, data, clock.now(), engine.lastSeq, headers));
  };
  const checkpoint = (): Promise<number> =>
    live.quiesce(async () => saveCheckpoint(store, log, engine, await agents.checkpoint(engine.lastSeq)));
  const warmUp = async (): Promise<void> => {
    const since = isNew ? 0 : engine.now;
    for (const event of await feed.warmup(clock.now())) if (event.occurredAt > since || isNew) live.submit(event);
  };
  return {
    engine,
    runtime: live,
    agents,
    log,
    refusedByReason,
    input,
    agentsReady: () => agents.ready(),
    async begin() {
      live.start([...fresh, ...recovered.unlogged, ...missed]);
      await warmUp();
      await live.quiesce(async () => undefined);
      for (const event of await reconcileAll(engine, venue, portfolios, clock.now(), headers)) live.submit(event);
      const sink = {
        submit: (event: AnyEvent) => live.submit(event),
        refused: (reason: string, message: string, sample: string) => {
          refusedByReason[reason] = (refusedByReason[reason] ?? 0) + 1;
          options.onProblem('feed message refused', { reason, message, sample });
        },
      };
      await feed.start(sink);
      watch.start(agents);
      checkpoints = setInterval(() => void checkpoint().catch(options.onFatal), options.checkpointMs);
    },
    async stop() {
      if (checkpoints) clearInterval(checkpoints);
      watch.stop();
      await feed.stop();
      await live.stop();
      const cut = await agents.checkpoint(engine.lastSeq);
      await saveCheckpoint(store, log, engine, cut);
      const remoteViews = cut.laggards.length === 0 ? await agents.hashViews() : {};
      await agents.stop();
      return runResult({ run: runId, store, engine, link, portfolios, refusedByReason, remoteViews });
    },
  };
}

/** An event that the process itself puts in: its id is derived from its place in the log. */
function processEvent<T extends EventType>(
  type: T,
  key: string,
  data: EmitData<T>,
  at: number,
  seq: number,
  headers: AnyEvent['headers'],
): AnyEvent {
  const id = inputId({
    source: 'standalone',
    kind: type,
    instrument: key,
    venueTime: at,
    values: [seq, JSON.stringify(data)],
  });
  return {
    ...{ id, type, schemaVersion: 1, source: 'standalone', key, occurredAt: at, correlationId: id, causationId: null },
    data: { event_type: type, ...data },
    headers,
  } as unknown as AnyEvent;
}

import { resolve } from 'node:path';
import type { AnyEvent, EmitData, EventType } from '@moon/events';
import type { PlatformConfig } from '@moon/domain';
import type { ModelLatency } from '../adapters/rule-based-model';
import { PARKED_FULL } from '../core/parking';
import type { Engine } from '../core/engine';
import { LogWriter } from '../log/log-writer';
import type { Clock } from '../ports/clock';
import type { EventStore, LogRow } from '../ports/event-store';
import type { Feed, FeedSink } from '../ports/feed';
import type { VenuePort } from '../ports/venue';
import { LiveRuntime } from '../runtime/live';
import { recover, saveCheckpoint } from '../runtime/recover';
import { agentReports } from '../runtime/threads/agent-report';
import { ThreadedAgents, type ThreadedAgentsOptions } from '../runtime/threads/threaded-agents';
import { VenueLink } from '../venue-link/venue-link';
import { assemble } from './assemble';
import { appendSla } from './append-sla';
import { builtInAgents } from './built-in-agents';
import { closePast } from './close-past';
import { processEvent } from './process-event';
import { notCompared, Reconciliation } from './reconcile';
import { risingNonce } from './recorded-run';
import { runResult, type RunResult } from './result';
import { accountSpecs, startEvents, type OrderSigner } from './start-events';

export interface LiveRunOptions {
  runId: string;
  codeVersion: string;
  platform: PlatformConfig;
  store: EventStore;
  /** Told how the store does: null after a write, the error when one failed and is tried again. */
  onStore?: (error: Error | null) => void;
  /** Told how long each append to the store took, wall ms. */
  onAppended?: (elapsedMs: number) => void;
  /** Which errors of the store pass by themselves; the others end the run. */
  isTransientStoreError?: (error: unknown) => boolean;
  venue: VenuePort;
  isVenueRemote: boolean;
  signer: OrderSigner;
  feed: Feed;
  clock: Clock;
  modelLatency: ModelLatency;
  /** Life of signed orders, run-time ms. */
  orderTimeToLiveMs: number;
  /** Modules of users' agents, each for a thread of its own. */
  userAgents: readonly string[];
  agents?: Pick<ThreadedAgentsOptions, 'timeoutMs' | 'maxAttempts' | 'laggingMs' | 'laggingEveryMs' | 'limits'>;
  /** Wall time between checkpoints, ms. */
  checkpointMs: number;
  onEvent?: (event: AnyEvent, seq: number) => void;
  /** For the process's own log: nothing that ends the run. */
  onProblem: (message: string, context: Record<string, unknown>) => void;
  onFatal: (error: Error) => void;
}

/** A live or synthetic run that has been recovered and waits for its `begin`. */
export interface LiveRun {
  engine: Engine;
  log: LogWriter;
  agents: ThreadedAgents;
  /** Messages of the feed that were refused, by reason. */
  refusedByReason: Record<string, number>;
  /** Names of all agents, once their threads are up and have caught up with the log. */
  agentsReady(): Promise<string[]>;
  /** Lets market data in; everything before it has been recovered and reconciled. */
  begin(): Promise<void>;
  /** Takes an input of the process itself; false when the run takes no more. */
  submit(event: AnyEvent): boolean;
  /** Takes an operational event of the process. */
  report<T extends EventType>(type: T, data: EmitData<T>): void;
  /** Stops the feed, handles what is under way, stores everything and takes a checkpoint. */
  stop(reason: string): Promise<RunResult>;
  /** Lets go of threads and timers without a word, after a start that failed. */
  abandon(): Promise<void>;
}

/** Retry of a venue that is silent, wall ms. */
const VENUE_RETRY_MS = 500;
/** How long a start waits for agents that are behind, wall ms; they then catch up while the run goes on. */
const CATCH_UP_MS = 5_000;
/** How long a checkpoint waits for an agent that is busy with one event, wall ms. */
const CUT_WITHIN_MS = 250;
/** How long a start waits for what it brought under way, wall ms. */
const SETTLE_MS = 5_000;
/** How long a stop waits for what is under way, twice at most, wall ms. What does not end is finished at the next start. */
const STOP_MS = 2_000;

/** Runs the platform on a live or synthetic feed: recovery, venue, agents in threads, checkpoints. */
export async function startLiveRun(options: LiveRunOptions): Promise<LiveRun> {
  const { store, platform, feed, clock, venue, onProblem } = options;
  const headers: AnyEvent['headers'] = { mode: feed.mode };
  const portfolios = platform.portfolios.map((portfolio) => portfolio.name);
  const wiring = {
    config: platform,
    headers,
    sign: (portfolio: string, payload: string) => options.signer.sign(portfolio, payload),
    nextNonce: risingNonce(),
    modelLatency: options.modelLatency,
    orderTimeToLiveMs: options.orderTimeToLiveMs,
    venueRetryMs: VENUE_RETRY_MS,
  };
  await closePast({ ...wiring, store, link: new VenueLink(venue, headers, options.isVenueRemote) });
  const here = () => ({ at: Math.max(clock.now(), engine.now), seq: engine.lastSeq, headers });
  const tookToAppend = appendSla({ point: here, submit: (event) => void live.submit(event), onProblem });
  const log = new LogWriter(store, await store.lastSeq(), {
    isTransient: options.isTransientStoreError,
    onFatal: options.onFatal,
    onRetry: (error, attempt) => {
      onProblem('store write failed, trying again', { error: error.message, attempt });
      options.onStore?.(error);
    },
    onWritten: (_rows, elapsedMs) => {
      options.onStore?.(null);
      tookToAppend(elapsedMs);
      options.onAppended?.(elapsedMs);
    },
  });
  const link = new VenueLink(venue, headers, options.isVenueRemote);
  const agents = new ThreadedAgents({
    ...options.agents,
    modules: [
      builtInAgents(platform),
      ...options.userAgents.map((path) => ({ path: resolve(path), config: {}, givesWay: true, isUsers: true })),
    ],
    readLog: (from, limit) => storedLog({ store, log, engine }, from, limit),
    onOutput: (output) => {
      engine.accept(output.delivered, output.cause);
      live.wake();
    },
    ...agentReports({ engine: () => engine, headers, submit: (event) => void live.submit(event), onProblem }),
  });
  const engine: Engine = assemble({
    ...wiring,
    log,
    link,
    remote: agents,
    onEvent: options.onEvent,
    onRequest: (request) => live.request(request),
    onFailure: ({ handler, key, event, error }) => {
      const { id, correlationId } = event;
      onProblem('handler failed', { handler, key, event: id, correlationId, error: error.message });
    },
    onParkedFull: (place) => onProblem(PARKED_FULL, { ...place }),
  });
  const onVenueSilent = (error: Error): void => onProblem('the venue does not answer', { error: error.message });
  const live = new LiveRuntime({
    engine,
    log,
    clock,
    headers,
    venue: link,
    agents,
    onVenueSilent,
    onFatal: options.onFatal,
  });
  const recovered = await recover({
    store,
    engine,
    observe: (event) => link.observe(event),
    startAgents: (start) => agents.start(start),
  });
  const heardUntil = await newestFeedTime(store);
  const at = Math.max(clock.now(), engine.now);
  for (const spec of accountSpecs(platform, at, options.signer)) await venue.openAccount(spec);
  const missed = await link.resume(portfolios, false);
  const { runId, codeVersion } = options;
  const start = await startEvents(
    { runId, codeVersion, platform, at, feedInstruments: feed.instruments(), headers },
    store,
  );
  const missing = await missingFrom(store, start);
  const inputs = [...missing, ...notCompared(engine, portfolios, at, headers), ...recovered.unlogged, ...missed];
  const reconciliation = new Reconciliation({
    ...{ engine, link, headers, onProblem, onFatal: options.onFatal },
    now: () => Math.max(clock.now(), engine.now),
    submit: (event) => void live.submit(event),
  });

  const refusedByReason: Record<string, number> = {};
  let checkpoints: NodeJS.Timeout | null = null;
  let saving = Promise.resolve();
  const checkpoint = (): Promise<void> => {
    saving = saving.then(async () => {
      await agents.refresh(CUT_WITHIN_MS);
      live.drain();
      await saveCheckpoint(store, log, engine, agents.cut());
    });
    return saving;
  };
  const report = <T extends EventType>(type: T, data: EmitData<T>): void => {
    live.submit(processEvent(type, data, here()));
  };
  const end = async (): Promise<void> => {
    if (checkpoints) clearInterval(checkpoints);
    reconciliation.stop();
    await feed.stop();
  };
  return {
    engine,
    log,
    agents,
    refusedByReason,
    report,
    submit: (event) => live.submit(event),
    async agentsReady() {
      const names = await agents.ready();
      if (!(await agents.idle(CATCH_UP_MS))) onProblem('agents are still behind the log', { lags: agents.lags() });
      return names;
    },
    async begin() {
      live.start(inputs);
      for (const event of await history(feed, clock.now(), onProblem)) {
        if (heardUntil === null || event.occurredAt > heardUntil) live.submit(event);
      }
      if (!(await live.settled(SETTLE_MS)))
        onProblem('the start goes on although not all is handled', { lags: agents.lags() });
      await reconciliation.start(portfolios);
      const refused = (reason: string, message: string, sample: string): void => {
        refusedByReason[reason] = (refusedByReason[reason] ?? 0) + 1;
        onProblem('feed message refused', { reason, message, sample });
      };
      await feed.start({ ...pausing(feed, log, (event) => live.submit(event)), refused });
      checkpoints = setInterval(() => void checkpoint().catch(options.onFatal), options.checkpointMs);
    },
    async stop(reason) {
      try {
        await end();
        await live.settled(STOP_MS);
        report('system.stopped', { reason, timestamp: Math.max(clock.now(), engine.now) });
        await live.stop(STOP_MS);
        const areIdle = await agents.idle(CUT_WITHIN_MS);
        await checkpoint();
        const remoteViews = areIdle ? await agents.hashViews() : {};
        return await runResult({ run: runId, store, engine, link, portfolios, refusedByReason, remoteViews });
      } finally {
        await agents.stop();
      }
    },
    async abandon() {
      await end();
      await agents.stop();
      await log.durable(engine.lastSeq);
    },
  };
}

/** The stored log above a position, complete up to what is sequenced now. */
async function* storedLog(
  { store, log, engine }: { store: EventStore; log: LogWriter; engine: Engine },
  fromSeq: number,
  limit?: number,
): AsyncIterable<LogRow> {
  await log.durable(engine.lastSeq);
  yield* store.readLog(fromSeq, limit);
}

/** Of the events that a run begins with: those that its log does not hold, because it is new or its settings are. */
async function missingFrom(store: EventStore, start: readonly AnyEvent[]): Promise<AnyEvent[]> {
  const { rows } = await store.query({ types: ['portfolio.opened', 'instrument.listed'], limit: 10_000 });
  const known = new Set(rows.map(({ event }) => subjectOf(event)));
  return start.filter((event) => !known.has(subjectOf(event)));
}

function subjectOf(event: AnyEvent): string {
  if (event.type === 'instrument.listed') return `instrument ${event.data.instrument}`;
  return event.type.startsWith('portfolio.') ? `portfolio ${event.key}` : event.id;
}

/** Event time up to which the feed has been heard, ms; null when it never was. */
async function newestFeedTime(store: EventStore): Promise<number | null> {
  const types = ['price.tick', 'bar.closed', 'funding.update', 'market.sentiment'];
  const { rows } = await store.query({ types, order: 'newest', limit: 1 });
  return rows[0]?.event.occurredAt ?? null;
}

async function history(feed: Feed, now: number, onProblem: LiveRunOptions['onProblem']): Promise<AnyEvent[]> {
  try {
    return await feed.warmup(now);
  } catch (error) {
    const message = 'the feed gave no history: agents have no view until they have seen enough';
    onProblem(message, { error: error instanceof Error ? error.message : String(error) });
    return [];
  }
}

/** Holds the feed back while the store cannot keep up: what waits for it in memory stays bounded. */
function pausing(feed: Feed, log: LogWriter, submit: FeedSink['submit']): Pick<FeedSink, 'submit'> {
  let isPaused = false;
  const resume = (): void => {
    isPaused = false;
    feed.resume();
  };
  return {
    submit(event) {
      const isTaken = submit(event);
      if (log.isFull && !isPaused) {
        isPaused = true;
        feed.pause();
        void log.room().then(resume);
      }
      return isTaken;
    },
  };
}

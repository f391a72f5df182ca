import type { AnyEvent } from '@moon/events';
import type { Handler, PlatformConfig } from '@moon/domain';
import type { ModelLatency } from '../adapters/rule-based-model';
import { PARKED_FULL } from '../core/parking';
import type { Engine } from '../core/engine';
import { LogWriter } from '../log/log-writer';
import type { EventStore } from '../ports/event-store';
import type { LogSink } from '../ports/log-sink';
import type { VenuePort } from '../ports/venue';
import type { InputSource } from '../runtime/input-source';
import { LockstepRuntime } from '../runtime/lockstep';
import { recover, saveCheckpoint } from '../runtime/recover';
import { VenueLink } from '../venue-link/venue-link';
import { assemble, executionState } from './assemble';
import { booksDiffer, comparison, reconcileAll } from './reconcile';
import { runResult, type RunResult } from './result';
import { accountSpecs, startEvents, type OrderSigner, type StrategyRecord } from './start-events';

export interface RecordedRunOptions {
  runId: string;
  codeVersion: string;
  platform: PlatformConfig;
  store: EventStore;
  /** Where the log goes; default: written behind the engine to the store. */
  log?: LogSink;
  /** Told how the store does: null after a write, the error when one failed and is tried again. */
  onStore?: (error: Error | null) => void;
  /** Which errors of the store pass by themselves; the others end the run. */
  isTransientStoreError?: (error: unknown) => boolean;
  venue: VenuePort;
  isVenueRemote: boolean;
  signer: OrderSigner;
  source: InputSource;
  /** Reasons and counts of what the source refused; read at the end. */
  refusedByReason: Readonly<Record<string, number>>;
  feedInstruments: readonly string[];
  /** Time of the first input, ms. */
  startsAt: number;
  modelLatency: ModelLatency;
  orderTimeToLiveMs: number;
  /** Nonces of signed orders; default: from the wall clock (rule 17). A replay, whose venue begins with it, counts its own. */
  nextNonce?: () => number;
  /** Run-time ms per wall ms; null = as fast as possible. */
  speed: number | null;
  checkpointMs: number;
  agents?: readonly Handler[];
  /** False: a handler that throws ends the run (see `HandlerHost`). */
  isGuarded?: boolean;
  /** Users' agents, in this thread. */
  strategyHandlers?: readonly Handler[];
  /** What the log knows them by. */
  strategyRecords?: readonly StrategyRecord[];
  onEvent?: (event: AnyEvent, seq: number) => void;
  /** For the process's own log: nothing that ends the run. */
  onProblem?: (message: string, context: Record<string, unknown>) => void;
}

/** A recorded run that has been recovered and waits for its `run`. */
export interface RecordedRun {
  engine: Engine;
  log: LogSink;
  /** Plays the inputs; resolves at the end of the data, or after `stop`, when everything is stored. */
  run(): Promise<{ result: RunResult; isComplete: boolean }>;
  /** Takes an input of the process itself, between two recorded ones. */
  submit(event: AnyEvent): void;
  /** Ends after the present input; the run can be resumed. */
  stop(): void;
}

/**
 * Plays recorded inputs through the whole platform in lock-step (rule 4), resuming where its log ends. Killed at any
 * moment and started again, it ends in the same state.
 */
export async function startRecordedRun(options: RecordedRunOptions): Promise<RecordedRun> {
  const headers: AnyEvent['headers'] = { mode: 'recorded' };
  const { store, platform } = options;
  const portfolios = platform.portfolios.map((portfolio) => portfolio.name);
  const log =
    options.log ??
    new LogWriter(store, await store.lastSeq(), {
      isTransient: options.isTransientStoreError,
      onRetry: (error, attempt) => {
        options.onProblem?.('store write failed, trying again', { error: error.message, attempt });
        options.onStore?.(error);
      },
      onWritten: () => options.onStore?.(null),
    });
  const link = new VenueLink(options.venue, headers, options.isVenueRemote);
  let lockstep: LockstepRuntime | null = null;
  const engine = assemble({
    config: platform,
    agents: options.agents,
    isGuarded: options.isGuarded,
    log,
    link,
    headers,
    sign: (portfolio, payload) => options.signer.sign(portfolio, payload),
    nextNonce: options.nextNonce ?? risingNonce(),
    modelLatency: options.modelLatency,
    orderTimeToLiveMs: options.orderTimeToLiveMs,
    venueRetryMs: 0,
    strategies: options.strategyHandlers,
    onEvent: options.onEvent,
    onRequest: (request) => lockstep?.request(request),
    onFailure: ({ handler, key, event, error }) => {
      const { id, type, correlationId } = event;
      options.onProblem?.('handler failed', { handler, key, type, event: id, correlationId, error: error.message });
    },
    onParkedFull: (place) => options.onProblem?.(PARKED_FULL, { ...place }),
  });
  const recovered = await recover({ store, engine, observe: (event) => link.observe(event) });
  for (const spec of accountSpecs(platform, options.startsAt, options.signer)) await options.venue.openAccount(spec);
  const pacer = new Pacer(options.speed);
  const checkpoints = new Checkpoints(options.checkpointMs, () => saveCheckpoint(store, log, engine));
  let isStopped = false;
  /** Portfolios that were running before this start, until they have been compared. */
  let resumed: string[] = [];
  /** Compares them once nothing of what the venue did meanwhile is missing; only a difference is news to the log. */
  const compareResumed = async (): Promise<void> => {
    for (const portfolio of resumed.splice(0)) {
      const found = await booksDiffer(engine, options.venue, portfolio);
      if (found.length === 0) continue;
      const event = comparison({ portfolio, differences: found, at: engine.now, seq: engine.lastSeq, headers });
      engine.input(event);
      const context = { portfolio, differences: found, event: event.id, correlationId: event.correlationId };
      options.onProblem?.('the portfolio is not reconciled with its venue and opens nothing', context);
    }
  };
  lockstep = new LockstepRuntime({
    engine,
    log,
    venue: link,
    source: options.source,
    headers,
    afterInput: (event) => {
      const pause = pacer.pause(event.occurredAt);
      const isToCompare = resumed.length > 0 && link.isCaughtUp;
      if (pause === null && !isToCompare && !checkpoints.isDue())
        return log.fatal === null ? isStopped : Promise.reject(log.fatal);
      return (async () => {
        await pause;
        if (isToCompare) await compareResumed();
        if (log.fatal) throw log.fatal;
        await checkpoints.save();
        return isStopped;
      })();
    },
  });
  const { runId, codeVersion, startsAt: at, feedInstruments } = options;
  const strategies = options.strategyRecords;
  const start = await startEvents({ runId, codeVersion, platform, strategies, at, feedInstruments, headers }, store);
  const isNew = recovered.checkpointSeq === 0;
  const due = await link.resume(portfolios, true);
  const runtime = lockstep;
  const run = async (): Promise<{ result: RunResult; isComplete: boolean }> => {
    const inputs = isNew ? start : start.filter((event) => event.type === 'config.activated');
    await runtime.resume([...inputs, ...due, ...recovered.unlogged]);
    // Once, before the first trade: afterwards a venue that lived on while the platform was dead may be ahead of the log.
    const fresh = portfolios.filter((name) => executionState(engine, name)?.portfolio?.reconciledAt === null);
    for (const event of await reconcileAll(engine, options.venue, fresh, options.startsAt, headers))
      engine.input(event);
    resumed = portfolios.filter((name) => !fresh.includes(name));
    await runtime.run();
    await log.durable(engine.lastSeq);
    await saveCheckpoint(store, log, engine);
    const { refusedByReason } = options;
    return {
      result: await runResult({ run: runId, store, engine, link, portfolios, refusedByReason }),
      isComplete: !isStopped,
    };
  };
  return { engine, log, run, submit: (event) => void engine.input(event), stop: () => void (isStopped = true) };
}

/** Wall-clock milliseconds, strictly rising: never used before, also not before a restart (rule 17). */
export function risingNonce(): () => number {
  let last = 0;
  return () => (last = Math.max(last + 1, Date.now()));
}

const NEVER = Number.POSITIVE_INFINITY;

/** Holds the pace of a run at 1× or 10×: waits until the wall clock has come as far as feed time. */
class Pacer {
  private start: { wall: number; feed: number } | null = null;

  constructor(private readonly speed: number | null) {}

  /** What to wait for before the run goes on; null when it is not ahead of its pace. */
  pause(feedTime: number): Promise<void> | null {
    if (this.speed === null) return null;
    this.start ??= { wall: Date.now(), feed: feedTime };
    const dueAt = this.start.wall + (feedTime - this.start.feed) / this.speed;
    const waitMs = dueAt - Date.now();
    return waitMs > 1 ? new Promise((resolve) => setTimeout(resolve, waitMs)) : null;
  }
}

/** Takes a checkpoint when enough wall time has passed since the last one. Looks at the clock every 256 inputs. */
class Checkpoints {
  private last = Date.now();
  private inputs = 0;

  constructor(
    private readonly everyMs: number,
    private readonly take: () => Promise<unknown>,
  ) {}

  /** Asked after every input. */
  isDue(): boolean {
    this.inputs += 1;
    return this.inputs % 256 === 0 && this.everyMs < NEVER && Date.now() - this.last >= this.everyMs;
  }

  /** Takes one, if one is due by the clock. */
  async save(): Promise<void> {
    if (Date.now() - this.last < this.everyMs) return;
    await this.take();
    this.last = Date.now();
  }
}

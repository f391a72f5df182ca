import type { AnyEvent, JsonObject } from '@moon/events';
import type { ChosenFeed, FeedFactory } from '@moon/app-agents';
import { PaperVenue, RemotePaperVenue } from '@moon/app-execution';
import { paperSigner } from '@moon/backtesting';
import { venueSources } from '@moon/domain';
import {
  executionState,
  startLiveRun,
  startRecordedRun,
  type EventStore,
  type Feed,
  type RunResult,
  type VenuePort,
} from '@moon/kernel';
import {
  COMPONENTS,
  HealthRegistry,
  isTransientStoreError,
  dataDirHolder,
  lockDataDir,
  type DataDirLock,
  StartupFailure,
  type Logger,
} from '@moon/infra';
import type { StartOptions } from './config/options';
import { serveHttp, type HttpServer } from './http-server';
import { OperatorCommands } from './operator-commands';
import { codeVersion } from './run/code-version';
import { openRecordedInputs, type RecordedInputs } from './run/recorded-inputs';
import { RunStore } from './run/run-store';
import type { Running } from './run/running';
import { StandaloneMetrics } from './run/standalone-metrics';
import { recordStartupFailure } from './run/startup-failure';
import { Activity } from './terminal/activity';
import { Summary } from './terminal/summary';

/** Where the inputs come from. */
type Inputs = { mode: 'recorded'; recorded: RecordedInputs } | { mode: 'live' | 'synthetic'; chosen: ChosenFeed };

/** Newest ticks of a log from which a feed that is made up goes on. */
const TICKS_TO_RESUME = 2_000;

/** How long a start waits for a `moon` command that has the data directory, wall ms. */
const LOCK_PATIENCE_MS = 15_000;
const LOCK_PAUSE_MS = 200;

/** One start of the platform, from the lock on its data directory to its clean end. */
export class Session {
  private readonly health = new HealthRegistry();
  private readonly activity = new Activity();
  private readonly metrics: StandaloneMetrics;
  private readonly stopped: Promise<void>;
  private requestStop: () => void = () => undefined;
  private fatal: Error | null = null;
  private running: Running | null = null;
  private store: RunStore | null = null;
  private venue: PaperVenue | RemotePaperVenue | null = null;
  private http: HttpServer | null = null;
  private operators: OperatorCommands | null = null;
  private summary: Summary | null = null;
  private feed: Feed | null = null;

  constructor(
    private readonly options: StartOptions,
    private readonly logger: Logger,
    private readonly feeds: FeedFactory,
  ) {
    this.stopped = new Promise((done) => (this.requestStop = done));
    this.metrics = new StandaloneMetrics(this.health, logger);
  }

  /** Asks the session to end; `run` then drains and returns. */
  stop(): void {
    this.health.stopping();
    if (this.running?.mode === 'recorded') this.running.run.stop();
    this.requestStop();
  }

  /** @throws StartupFailure, or what broke the platform later */
  async run(): Promise<void> {
    const lock = await this.lock();
    try {
      const running = await this.start();
      await this.work(running);
      if (this.fatal) throw this.fatal;
    } catch (error) {
      if (error instanceof StartupFailure)
        await this.recordFailure(error).catch((second: unknown) =>
          this.logger.error({ err: second }, 'the failed start could not be written to the log'),
        );
      throw error;
    } finally {
      this.health.stopping();
      this.summary?.stop();
      this.operators?.stop();
      await this.http?.close();
      await this.venue?.close();
      await this.store?.close();
      lock.release();
    }
  }

  /** Takes the data directory; a command that has it is waited for, another platform is not. */
  private async lock(): Promise<DataDirLock> {
    const { dataDir } = this.options.config;
    for (let waitedMs = 0; ; waitedMs += LOCK_PAUSE_MS) {
      const holder = dataDirHolder(dataDir);
      if (holder === null || holder.isPlatform || waitedMs >= LOCK_PATIENCE_MS) return lockDataDir(dataDir);
      await new Promise((resolve) => setTimeout(resolve, LOCK_PAUSE_MS));
    }
  }

  /** Components in their order (SYS-1): broker, event store, cache, agents, API; then market data is let in. */
  private async start(): Promise<Running> {
    const startedAt = Date.now();
    const { config } = this.options;
    const { health } = this;
    const inputs = await health.start(
      'broker',
      () => this.openInputs(),
      ({ mode }) => `in process; ${mode} inputs`,
    );
    const store = await health.start(
      'event-store',
      () => this.openStore(inputs),
      ({ port, runId }) => `PostgreSQL on port ${port}, run ${runId}`,
    );
    const running = await health.start(
      'cache',
      () => this.open(store, inputs),
      ({ run }) => `in memory, as of event ${run.engine.lastSeq}`,
    );
    this.running = running;
    if (running.mode !== 'recorded') health.agents = () => running.run.agents.metrics();
    await health.start(
      'agents',
      () => this.agentsReady(running),
      (names) => names.join(', '),
    );
    const operators = this.openOperators(store, running);
    this.metrics.observe(running, { feed: () => this.feed?.status() ?? null, portfolios: this.portfolios });
    const parts = { health, metrics: this.metrics.served, desk: operators, requests: store.requests };
    const http = await health.start(
      'api',
      () => serveHttp(config.port, parts),
      ({ port }) => `http://127.0.0.1:${port}`,
    );
    this.http = http;
    operators.listen(http, (error) => this.logger.error({ err: error }, 'an operator request failed'));
    if (running.mode !== 'recorded') await running.run.begin();
    health.ready();
    const startupMs = Date.now() - startedAt;
    if (running.mode !== 'recorded')
      running.run.report('system.ready', {
        components: [...COMPONENTS],
        startupMs,
        timestamp: running.run.engine.now,
      });
    this.say(
      `READY in ${(startupMs / 1_000).toFixed(1)} s · ${running.mode.toUpperCase()} · run ${store.runId}${store.resumed ? ' (continued)' : ''} · http://127.0.0.1:${http.port}/health/ready`,
    );
    this.showSummary(running, store.runId);
    return running;
  }

  /** Until the data end, somebody stops it, or it breaks. */
  private async work(running: Running): Promise<void> {
    if (running.mode !== 'recorded') {
      await this.stopped;
      this.report(await running.run.stop(this.fatal?.message.slice(0, 200) ?? 'asked to stop'));
      return;
    }
    const { result, isComplete } = await running.run.run();
    if (isComplete) await this.store?.finish(result as unknown as JsonObject);
    this.report(result);
    if (isComplete && !this.options.exit) {
      this.say('End of the data. Ctrl-C ends.');
      await this.stopped;
    }
  }

  private async openInputs(): Promise<Inputs> {
    const { config } = this.options;
    if (config.feed.kind === 'recorded') {
      return {
        mode: 'recorded',
        recorded: await openRecordedInputs(config, (bad) => this.logger.warn(bad, 'row refused')),
      };
    }
    const onNotice = (message: string): void => this.say(message);
    const chosen = await this.feeds.choose({ ...config.feed, kind: config.feed.kind, onNotice });
    return { mode: chosen.mode, chosen };
  }

  private async openStore(inputs: Inputs): Promise<RunStore> {
    const fingerprint = inputs.mode === 'recorded' ? inputs.recorded.fingerprint : null;
    this.store = await RunStore.open({ dataDir: this.options.config.dataDir, mode: inputs.mode, fingerprint });
    return this.store;
  }

  private async open(store: RunStore, inputs: Inputs): Promise<Running> {
    const { config } = this.options;
    const common = {
      runId: store.runId,
      codeVersion: codeVersion(),
      platform: config.platform,
      store: store.store,
      isTransientStoreError,
      onStore: (error: Error | null) => this.storeDoes(error),
      isVenueRemote: config.venue.where === 'process',
      signer: paperSigner,
      modelLatency: config.model,
      // A fast clock stretches it, so that storing and sending have the same wall time as at pace 1.
      orderTimeToLiveMs: config.venue.orderTimeToLiveMs * (inputs.mode === 'synthetic' ? config.feed.pace : 1),
      checkpointMs: config.checkpointMs,
      onEvent: (event: AnyEvent) => {
        this.activity.watch(event);
        this.metrics.watch(event);
      },
    };
    if (inputs.mode === 'recorded') {
      const { source } = inputs.recorded;
      const venue = await this.openVenue(store, source.instruments, source.instrumentsOf('funding'));
      const run = await startRecordedRun({
        ...common,
        venue,
        source,
        refusedByReason: source.refusedByReason,
        feedInstruments: source.instruments,
        startsAt: source.startsAt,
        speed: config.feed.speed === 'max' ? null : Number(config.feed.speed),
        onProblem: (message, context) => this.logger.error(context, message),
      });
      return { mode: 'recorded', run };
    }
    const { feed, clock } = inputs.chosen.resumeAfter(await newestTicks(store.store));
    this.feed = feed;
    const venue = await this.openVenue(store, feed.instruments(), feed.instruments());
    const run = await startLiveRun({
      ...common,
      venue,
      feed,
      clock,
      agents: { timeoutMs: config.agentTimeoutMs },
      userAgents: config.userAgents,
      onAppended: (elapsedMs) => this.metrics.appended(elapsedMs),
      onProblem: (message, context) => this.logger.warn(context, message),
      onFatal: (error) => this.breakDown(error),
    });
    return { mode: inputs.mode, run };
  }

  private async openVenue(
    store: RunStore,
    feedInstruments: readonly string[],
    fundingInstruments: readonly string[],
  ): Promise<VenuePort> {
    const { venue, platform } = this.options.config;
    if (venue.where === 'process') {
      const [host, port] = venue.address.split(':');
      return (this.venue = new RemotePaperVenue({ host, port: Number(port) }));
    }
    const config = { ...venue.paper, ...venueSources(platform, feedInstruments, fundingInstruments, venue.paper) };
    return (this.venue = new PaperVenue({
      config,
      directory: store.venueDir,
      notice: (text) => this.logger.warn(text),
    }));
  }

  private async agentsReady(running: Running): Promise<string[]> {
    // The risk agent shares the thread of the orders (rule 21); the others have threads of their own when it is no recording.
    const here = running.run.engine.host.names.filter((name) => name.startsWith('agent/'));
    return running.mode === 'recorded' ? here : [...new Set([...here, ...(await running.run.agentsReady())])];
  }

  private openOperators(store: RunStore, { mode, run }: Running): OperatorCommands {
    const submit = (event: AnyEvent): void => void run.submit(event);
    const durable = (): Promise<void> => run.log.durable(run.engine.lastSeq);
    this.operators = new OperatorCommands(store.store, run.engine, submit, durable, { mode });
    return this.operators;
  }

  /** Writes `system.startup_failure` into the log (SYS-2), when nothing else writes there any more. */
  private async recordFailure(error: StartupFailure): Promise<void> {
    if (!this.store) return;
    if (this.running && this.running.mode !== 'recorded') await this.running.run.abandon();
    await recordStartupFailure(this.store.store, error);
  }

  /** The store is down while its writes fail: readiness goes, orders wait, prices are kept up to a bound. */
  private storeDoes(error: Error | null): void {
    const isDown = this.health.report().components['event-store']?.status === 'down';
    if (error) this.health.set('event-store', 'down', `writes fail and are tried again: ${error.message}`);
    else if (isDown) this.health.set('event-store', 'up', 'writes succeed again');
  }

  private breakDown(error: Error): void {
    this.fatal ??= error;
    this.logger.error({ err: error }, 'the platform broke');
    this.health.set('broker', 'down', error.message);
    this.requestStop();
  }

  private get portfolios(): string[] {
    return this.options.config.platform.portfolios.map(({ name }) => name);
  }

  private showSummary({ mode, run }: Running, runId: string): void {
    if (this.options.json) return;
    const { portfolios } = this;
    this.summary = new Summary(
      {
        title: `run ${runId}`,
        mode: mode.toUpperCase() as 'LIVE',
        activity: this.activity,
        state: () => this.health.state,
        feed: () => this.feed?.status() ?? null,
        portfolios: () => portfolios.map((name) => [name, executionState(run.engine, name)] as const),
        lags: () => (mode === 'recorded' ? [] : run.agents.lags()),
        backlog: () => run.log.backlog,
      },
      process.stdout,
    );
    this.summary.start();
  }

  private report(result: RunResult): void {
    for (const difference of result.venueDifferences) this.logger.error(`The venue's books differ. ${difference}`);
    this.summary?.stop();
    this.summary = null;
    if (this.options.json) process.stdout.write(`${JSON.stringify(result)}\n`);
    else
      this.say(
        `${result.events} events, ${result.orders} orders, ${result.fills} fills, equity ${result.equity}, state ${result.stateHash}`,
      );
  }

  private say(message: string): void {
    (this.options.json ? process.stderr : process.stdout).write(`${message}\n`);
  }
}

async function newestTicks(store: EventStore): Promise<AnyEvent[]> {
  const { rows } = await store.query({ types: ['price.tick'], order: 'newest', limit: TICKS_TO_RESUME });
  return rows.map(({ event }) => event);
}

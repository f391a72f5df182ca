import type { DynamicModule } from '@nestjs/common';
import { READ_VERSIONS } from '@moon/events';
import {
  ConfigError,
  createBroadcastConsumer,
  createLogger,
  HealthRegistry,
  healthSamples,
  KafkaPublisher,
  ProcessMetrics,
  RecentDurations,
  StartupFailure,
  type KafkaConsumer,
  type Logger,
  type Sample,
} from '@moon/infra';
import { groupPlans, SharedBroadcast } from '@moon/kernel';
import { noteCache, type CacheSeen } from './cache-seen';
import type { ClusterConfig } from './config';
import { checkContracts, emittedVersions } from './contracts';
import { DeadLetters } from './dead-letters';
import { clusterClock, openBroker, openStore, ownerName, type Connections } from './connections';
import { serveProcess, type ProcessHttp } from './http';
import { chosen } from './parts/chosen';
import { observeProcess } from './process-samples';
import { codeVersion, readClusterOptions } from './options';

/** Something that runs in a process of the platform from its start to its stop. */
export interface Part {
  readonly name: string;
  start(): Promise<void>;
  /** Finishes what is under way, and lets go. */
  stop(): Promise<void>;
  /** True when it does what it is there for. */
  isUp(): boolean;
  /** What keeps it from being up, in one line, when it knows. */
  problem?(): string | null;
  /** What it saw of the cache, if it asks it; null while it has no need to. */
  cache?(): CacheSeen | null;
  /** For `/status`: plain JSON. */
  status(): object | Promise<object>;
  /** For `/metrics`: what it knows at this moment. */
  metrics?(): readonly Sample[] | Promise<readonly Sample[]>;
}

export interface PartContext {
  connections: Connections;
  codeVersion: string;
  /** Ends the process with an error: for what no retry mends. */
  onFatal: (error: Error) => void;
}

export interface ClusterApp {
  name: 'agents' | 'execution' | 'recorder' | 'api';
  /** What `only` may choose from: looked at before anything is asked of a server. */
  hosts?(config: ClusterConfig): readonly { name: string }[];
  /** What it hosts; stopped in the opposite order. */
  parts(context: PartContext): Part[];
  /** Further HTTP modules. */
  modules?(context: PartContext): DynamicModule[];
}

/** How long a stop may take before the process ends all the same, wall ms: what is not stored then is handled again. */
const STOP_WITHIN_MS = 20_000;
/** How often readiness is looked at, wall ms. */
const LOOK_MS = 500;

/** Runs one application until it is asked to stop. @returns its exit code: 0, 1 when it broke, 2 on wrong settings */
export async function runClusterApp(app: ClusterApp, argv: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  let config: ClusterConfig;
  try {
    config = readClusterOptions(app.name, argv, env);
    if (app.hosts) chosen(app.hosts(config), config.only);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return 2;
  }
  const logger = createLogger({ level: config.logLevel }).child({ process: app.name });
  const running = new ClusterProcess(app, config, logger);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => running.stop());
  try {
    await running.run();
    return 0;
  } catch (error) {
    if (!(error instanceof ConfigError || error instanceof StartupFailure))
      logger.error({ err: error }, 'the process broke');
    process.stderr.write(`${app.name}: ${error instanceof Error ? error.message : String(error)}\n`);
    return isWrongSettings(error) ? 2 : 1;
  }
}

/** Some settings are known to be wrong only when the others, or the brokers, have been asked. */
const isWrongSettings = (error: unknown): boolean =>
  error instanceof ConfigError || (error instanceof StartupFailure && error.cause instanceof ConfigError);

class ClusterProcess {
  private readonly health = new HealthRegistry();
  private readonly metrics: ProcessMetrics;
  private readonly stopped: Promise<void>;
  private requestStop: () => void = () => undefined;
  private fatal: Error | null = null;
  private parts: Part[] = [];
  private connections: Connections | null = null;
  private http: ProcessHttp | null = null;

  constructor(
    private readonly app: ClusterApp,
    private readonly config: ClusterConfig,
    private readonly logger: Logger,
  ) {
    this.stopped = new Promise((done) => (this.requestStop = done));
    this.metrics = new ProcessMetrics(app.name, {
      onError: (source, error) => logger.warn({ source, err: error }, 'a source of metrics could not be read'),
    });
    this.metrics.addSource('health', () => healthSamples(this.health));
  }

  stop(): void {
    this.health.stopping();
    this.requestStop();
  }

  async run(): Promise<void> {
    const startedAt = Date.now();
    const watch = setInterval(() => this.look(), LOOK_MS);
    try {
      await this.start();
      if (this.health.state === 'STOPPING') return;
      this.health.ready();
      const seconds = ((Date.now() - startedAt) / 1_000).toFixed(1);
      process.stdout.write(`READY in ${seconds} s · ${this.app.name} · ${this.http?.address ?? ''}/health/ready\n`);
      await this.stopped;
      if (this.fatal) throw this.fatal;
    } finally {
      clearInterval(watch);
      this.health.stopping();
      await this.shutDown();
    }
  }

  /** Components in their order (SYS-1). A broker or a store that is away ends the start, and is named. */
  private async start(): Promise<void> {
    const { config, logger, health, app } = this;
    // Before everything else: whoever asks is told what the start waits for.
    const probes = await this.serve(config.port);
    const emitted = emittedVersions(config);
    const contracts = { owner: ownerName(config, app.name), reads: READ_VERSIONS, emits: emitted.emitted };
    await health.start(
      'broker',
      async () => {
        const found = await openBroker(config, logger);
        await checkContracts(config, contracts);
        return found;
      },
      (detail) => detail,
    );
    const store = await health.start(
      'event-store',
      () => openStore(config, logger, emitted),
      () => `${config.postgres.hosts.join(', ')}, database ${config.postgres.database}`,
    );
    const { metrics } = this;
    const publisher = new KafkaPublisher({
      ...{ settings: config.kafka, logger, wire: emitted.wire },
      onAcknowledged: (ms) => metrics.time('moon_publish_acknowledged_seconds', ms, { publisher: 'shards' }),
    });
    const broadcasts: KafkaConsumer[] = [];
    this.connections = {
      ...store,
      ...{
        config,
        logger,
        metrics,
        publisher,
        emitted,
        contracts,
        owner: contracts.owner,
        clock: clusterClock(config),
      },
      broadcast: new SharedBroadcast((topics) => {
        const options = { settings: config.kafka, logger, groupId: `${app.name}.all`, topics };
        const consumer = createBroadcastConsumer(options);
        broadcasts.push(consumer);
        return consumer;
      }),
      broadcastStandstillMs: () => Math.max(0, ...broadcasts.map((consumer) => consumer.standstillMs())),
      broadcastAbsence: () =>
        broadcasts.map((consumer) => consumer.absence()).find((absence) => absence !== null) ?? null,
      plans: groupPlans(config.platform),
      deadLetters: new DeadLetters(config.kafka, logger, metrics),
      journalWrites: new RecentDurations(),
      onStore: (error) => this.note('event-store', error === null, error?.message ?? ''),
    };
    await health.start(
      'cache',
      () => Promise.resolve(describeCache(config)),
      (detail) => detail,
    );
    const context: PartContext = {
      connections: this.connections,
      codeVersion: codeVersion(),
      onFatal: (error) => this.breakDown(error),
    };
    this.parts = app.parts(context);
    observeProcess(this.connections, this.parts);
    await health.start(
      'agents',
      () => this.startParts(),
      () => this.parts.map(({ name }) => name).join(', '),
    );
    await health.start(
      'api',
      () => this.serveModules(probes, app.modules?.(context) ?? []),
      ({ address }) => address,
    );
  }

  /** What only a started process can answer is served once it has started, at the address of the probes. */
  private async serveModules(probes: ProcessHttp, modules: readonly DynamicModule[]): Promise<ProcessHttp> {
    if (modules.length === 0) return probes;
    await probes.close();
    return this.serve(Number(new URL(probes.address).port), modules);
  }

  /** @throws StartupFailure of the API: its port is taken */
  private async serve(port: number, modules: readonly DynamicModule[] = []): Promise<ProcessHttp> {
    const { config, health, metrics } = this;
    try {
      const sources = { health, metrics, status: { read: () => this.status() } };
      this.http = await serveProcess({ host: config.host, port }, sources, modules);
    } catch (error) {
      throw new StartupFailure('api', error);
    }
    return this.http;
  }

  private async startParts(): Promise<void> {
    // Together: each joins a group of its own, and what is published before all have joined waits on the broker.
    await Promise.all(this.parts.map((part) => part.start()));
    for (let said = ''; ; await new Promise((resolve) => setTimeout(resolve, 20))) {
      if (this.fatal) throw this.fatal;
      const { down, problem } = this.whatIsDown();
      if (down.length === 0 || this.health.state === 'STOPPING') return;
      if (problem === said) continue;
      said = problem;
      this.health.set('agents', 'starting', problem === '' ? 'starting' : problem);
      if (problem !== '') process.stderr.write(`${this.app.name} is not READY: ${problem}\n`);
    }
  }

  private whatIsDown(): { down: string[]; problem: string } {
    const down = this.parts.filter((part) => !part.isUp());
    const problems = down.flatMap((part) => part.problem?.() ?? []);
    return { down: down.map(({ name }) => name), problem: problems.join('; ') };
  }

  /** Readiness follows what the parts and the publisher say. */
  private look(): void {
    noteCache(this.health, this.parts);
    if (this.health.state !== 'READY' && this.health.state !== 'FAILED') return;
    const publisher = this.connections?.publisher;
    if (publisher) this.note('broker', !publisher.isAway, 'takes nothing; what is published is kept and resent');
    const { down, problem } = this.whatIsDown();
    this.note('agents', down.length === 0, `not up: ${down.join(', ')}${problem && ` (${problem})`}`);
  }

  private note(component: 'broker' | 'event-store' | 'agents', isUp: boolean, problem: string): void {
    const { status, detail } = this.health.report().components[component] ?? {};
    if (isUp && status === 'down') this.health.set(component, 'up', 'up again');
    else if (!isUp && (status === 'up' || (status === 'down' && detail !== problem)))
      this.health.set(component, 'down', problem);
  }

  private async status(): Promise<object> {
    const parts = await Promise.all(this.parts.map(async (part) => [part.name, await statusOf(part)] as const));
    return {
      app: this.app.name,
      instance: this.connections?.owner,
      pid: process.pid,
      state: this.health.state,
      publisher: this.connections?.publisher.stats(),
      journalWrites: this.connections?.journalWrites.summary() ?? null,
      memory: process.memoryUsage(),
      cpu: process.cpuUsage(),
      parts: Object.fromEntries(parts),
    };
  }

  private breakDown(error: Error): void {
    this.fatal ??= error;
    this.logger.error({ err: error }, 'the process breaks off');
    this.requestStop();
  }

  private async shutDown(): Promise<void> {
    const end = setTimeout(() => {
      this.logger.error('the stop took too long; what is not stored is handled again at the next start');
      process.exit(1);
    }, STOP_WITHIN_MS);
    for (const part of [...this.parts].reverse()) {
      await part
        .stop()
        .catch((error: unknown) => this.logger.error({ err: error, part: part.name }, 'a part did not stop well'));
    }
    await this.connections?.publisher.stop();
    await this.connections?.deadLetters.close();
    await this.http?.close();
    const { journals, archive, log } = this.connections ?? {};
    await Promise.all([journals?.close(), archive?.close(), log?.close()]);
    clearTimeout(end);
  }
}

/** One that is still to start, or cannot be asked, says so; the others are told of all the same. */
async function statusOf(part: Part): Promise<object> {
  try {
    return await part.status();
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}

/** The cache is no condition of a start: what may not go on without it is halted while it is away (CCH-4). */
function describeCache({ cache, redis }: ClusterConfig): string {
  return cache === 'none'
    ? 'none is configured'
    : `Redis (${redis.mode}) at ${redis.nodes.join(', ')}; not asked by this process`;
}

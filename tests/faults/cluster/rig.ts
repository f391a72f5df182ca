import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RemotePaperVenue } from '@moon/app-execution';
import { clusterConfigSchema, type ClusterConfig } from '@moon/cluster';
import { loadConfig } from '@moon/infra';
import { groupPlans } from '@moon/kernel';
import type { StackAddresses, StackKind } from '../../../scripts/stack/api.cjs';
import { Auditor } from './auditor';
import { Load, tempoFor } from './load';
import { pause, stackApi } from './root';
import { platformSettings, serverSettings, sparing, TOKENS } from './settings';
import { PrimaryClient } from './store';
import { program, Supervised, type ProcessStatus } from './supervised';

export interface RigOptions {
  /** Ticks per second, wall time. */
  rate: number;
  seed: number;
  /** Feed time per wall time; default: what gives the rate at one trade a second and token. */
  pace?: number;
  /** ms between requests of the brokers' clients; default: see `sparing`. */
  spacing?: number;
  /** Every client reaches the servers through Toxiproxy. */
  proxied?: boolean;
  /** The data of PostgreSQL lie on a disk of their own, of a few hundred megabytes. */
  smallDisk?: boolean;
  /** A limit of every portfolio, in settlement asset, that trading runs into; default: a wide one. */
  grossExposure?: number;
  /** See `PlatformOptions`. */
  checkpointMs?: number;
  /** With Redis: projections are shown to readers, and their absence halts opening orders. */
  cached?: boolean;
  /** Every agent takes part; default: those that a trade needs. */
  allAgents?: boolean;
  /** Multiplies the time-outs of the brokers' clients and what counts as standing still: for machines that are busy with more. */
  patience?: number;
  execution?: number;
  agents?: number;
  /** Further settings of agents, by their names. */
  agentSettings?: object;
  /** What the brokers carried is read by the auditor when it is asked to start, not beside the run. */
  auditsLater?: boolean;
  /** Brokers compile with C1 alone (the default): a quicker start, and none of C2's work beside what runs. */
  fast?: boolean;
  /** What is going on, one line each. */
  say?: (line: string) => void;
  /** Loaded into every process of the platform before its program: a planted bug. */
  plant?: string;
  /** Keeps the folder with the logs, found something or not. */
  keep?: boolean;
}

/** A start of all of it on a machine that has nothing else to do takes half a minute. */
const READY_WITHIN_MS = 240_000;
const SMALL_DISK = '1g';
const READY = /^READY in .* (http:\/\/[\d.]+:\d+)\/health\/ready/;

/** Servers, venue and every application as processes of their own, under load; each can be killed and frozen by its name. */
export class Rig {
  readonly processes = new Map<string, Supervised>();
  load!: Load;
  auditor!: Auditor;
  venue!: RemotePaperVenue;
  store!: PrimaryClient;
  config!: ClusterConfig;
  addresses!: StackAddresses;
  private readonly dir = mkdtempSync(join(tmpdir(), 'moon-faults-'));

  private constructor(readonly options: RigOptions) {
    // PostgreSQL runs as another user, who must be able to enter.
    chmodSync(this.dir, 0o755);
    for (const name of ['logs', 'data', 'stack']) mkdirSync(join(this.dir, name));
    if (options.smallDisk) this.mountDisk();
  }

  static async start(options: RigOptions): Promise<Rig> {
    const rig = new Rig(options);
    try {
      await rig.startAll();
      return rig;
    } catch (error) {
      await rig.stop();
      throw error;
    }
  }

  get stackDir(): string {
    return join(this.dir, 'stack');
  }

  get folder(): string {
    return this.dir;
  }

  /** Folder of both PostgreSQL servers' data. */
  get postgresDisk(): string {
    return join(this.stackDir, 'postgres');
  }

  say(line: string): void {
    this.options.say?.(line);
  }

  process(name: string): Supervised {
    const found = this.processes.get(name);
    if (!found) throw new Error(`There is no process ${name}; there are ${[...this.processes.keys()].join(', ')}.`);
    return found;
  }

  /** Processes of the platform: the venue, which belongs to somebody else, left out. */
  get apps(): Supervised[] {
    return [...this.processes.values()].filter(({ name }) => name !== 'venue');
  }

  /** Status of every process of the platform that is wanted, by name; null for one that does not answer. */
  async statuses(): Promise<Map<string, ProcessStatus | null>> {
    const wanted = this.apps.filter(({ wanted: isWanted }) => isWanted);
    return new Map(await Promise.all(wanted.map(async (app) => [app.name, await app.status()] as const)));
  }

  /** Names of all shards that there are. */
  shardNames(): string[] {
    const { shards } = this.config;
    return groupPlans(this.config.platform).flatMap(({ name }) =>
      Array.from({ length: shards }, (_, index) => `${name}#${index}`),
    );
  }

  /** Waits until every process that is wanted is ready. */
  async allReady(limitMs = READY_WITHIN_MS * (this.options.patience ?? 1)): Promise<void> {
    const waiting = this.apps.filter(({ wanted }) => wanted).map((app) => app.ready());
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        const missing = this.apps.filter(({ address }) => address === null).map(({ name }) => name);
        reject(new Error(`${missing.join(', ')} not ready within ${limitMs / 1_000} s.`));
      }, limitMs);
    });
    await Promise.race([Promise.all(waiting), late]).finally(() => clearTimeout(timer));
  }

  /**
   * @param leaveServers the servers stay, for whoever wants to look into them
   * @param keep the folder with the logs stays
   */
  async stop({ leaveServers = false, keep = this.options.keep ?? false } = {}): Promise<void> {
    await this.load?.stop();
    await this.auditor?.stop();
    await this.venue?.close();
    await Promise.all(
      [...this.processes.values()].map(async (one) => {
        one.thaw();
        await one.kill(true);
      }),
    );
    await this.store?.close();
    if (leaveServers) {
      this.say(`the servers run on; look: npx moon parity --cluster --config ${join(this.dir, 'settings.json')}`);
      this.say(`and end them: npm run stack -- stop --dir ${this.stackDir}`);
      return;
    }
    const isSmall = this.options.smallDisk ?? false;
    if (this.addresses) await stackApi.stop(this.stackDir, { clean: !isSmall });
    if (isSmall) execFileSync('umount', [this.postgresDisk]);
    if (keep) this.say(`logs are kept in ${this.dir}`);
    else rmSync(this.dir, { recursive: true, force: true });
  }

  /** @throws Error where mounting is not allowed: it takes root */
  private mountDisk(): void {
    mkdirSync(this.postgresDisk);
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${SMALL_DISK},mode=755`, 'tmpfs', this.postgresDisk]);
  }

  private async startAll(): Promise<void> {
    const { agents = 2, execution = 2, fast = true, rate, seed } = this.options;
    const only = this.servers();
    this.say(`starting ${only.join(', ')}`);
    this.addresses = await stackApi.start({ dir: this.stackDir, only, basePort: 0, brokers: 3, fast });
    this.store = new PrimaryClient(this.addresses);
    const venue = this.add('venue', 'execution/src/venues/paper/main.js', {
      // Its own port, so that it comes back where it was.
      args: ['--data-dir', join(this.dir, 'data', 'venue'), '--port', String(await freePort())],
      ready: /"listening":(\d+)/,
    });
    venue.start();
    await venue.ready();
    const tempo = tempoFor(rate, TOKENS.length, this.options.pace);
    const origin = Date.now();
    const file = this.writeConfig({ pace: tempo.pace, origin }, Number(venue.address));
    this.config = loadConfig(clusterConfigSchema, { file, env: {}, flags: {}, set: {} });
    this.venue = new RemotePaperVenue({ port: Number(venue.address), retryForMs: 60_000 });
    // What does not go through the proxies: the rig's own eyes.
    const settings = { ...this.config.kafka, portOffset: 0 };
    this.addApps(file, agents, execution);
    // One after the other: the first makes topics and tables, and a small machine is not to start all at once.
    for (const app of this.apps) {
      this.say(`starting ${app.name}`);
      app.start();
      await this.allReady();
    }
    this.auditor = new Auditor(settings);
    if (!this.options.auditsLater) await this.auditor.start();
    this.load = new Load({ settings, tokens: TOKENS, seed, tempo, origin });
    await this.load.start();
    this.say(`under load, pace ${tempo.pace}, ${tempo.tradesPerSecond} trades a second of it`);
  }

  private servers(): StackKind[] {
    const { proxied = false, cached = false } = this.options;
    return ['kafka', 'postgres', ...(proxied ? (['toxiproxy'] as const) : []), ...(cached ? (['redis'] as const) : [])];
  }

  private writeConfig(clock: { pace: number; origin: number }, venuePort: number): string {
    const file = join(this.dir, 'settings.json');
    writeFileSync(
      file,
      JSON.stringify({
        ...platformSettings(this.options),
        ...serverSettings(this.addresses, { isProxied: this.options.proxied ?? false, kafka: this.clientSettings() }),
        clock,
        dataDir: join(this.dir, 'data'),
        venue: { address: `127.0.0.1:${venuePort}` },
      }),
    );
    return file;
  }

  private clientSettings(): object {
    const { patience = 1, rate, spacing } = this.options;
    return {
      ...sparing(rate, spacing),
      ...(patience !== 1 && {
        sessionTimeoutMs: 6_000 * patience,
        requestTimeoutMs: 2_000 * patience,
        connectionTimeoutMs: 1_000 * patience,
      }),
    };
  }

  private addApps(file: string, agents: number, execution: number): void {
    const groups = groupPlans(this.config.platform)
      .map(({ name }) => name)
      .filter((name) => name === 'normalisers' || name.startsWith('agent.'));
    const app = (kind: string, name: string, more: readonly string[] = []): void => {
      const args = ['--config', file, '--port', '0', '--instance', name, ...more];
      this.add(name, `${kind}/src/main.js`, { args, ready: READY });
    };
    app('recorder', 'recorder');
    for (let index = 1; index <= execution; index += 1) app('execution', `execution-${index}`);
    // The market is the rig's own: it must know what was acknowledged.
    for (let index = 1; index <= agents; index += 1) app('agents', `agents-${index}`, ['--only', groups.join(',')]);
  }

  private add(name: string, path: string, launch: { args: readonly string[]; ready: RegExp }): Supervised {
    const { plant } = this.options;
    const preload = plant === undefined || name === 'venue' ? [] : ['--require', plant];
    const args = [...preload, program(`apps/${path}`), ...launch.args];
    const one = new Supervised({ name, args, ready: launch.ready, log: join(this.dir, 'logs', `${name}.log`) });
    this.processes.set(name, one);
    return one;
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Longer than a fetch that waits for more than one message. */
const CALM_MS = 700;

/** Waits until one after the other of the rig's consumers has nothing to do: no message is missing, nothing is held back. */
export async function quiescent(rig: Rig, limitMs: number): Promise<string[]> {
  let open: string[] = ['nothing was looked at yet'];
  const end = Date.now() + limitMs;
  for (let calm = 0; calm < 2;) {
    open = await openEnds(rig);
    calm = open.length === 0 ? calm + 1 : 0;
    if (open.length > 0 && Date.now() > end) return open;
    await pause(CALM_MS);
  }
  return open;
}

async function openEnds(rig: Rig): Promise<string[]> {
  const open: string[] = [];
  const live = new Set<string>();
  let hasRelay = false;
  let hasCache = !(rig.options.cached ?? false);
  for (const [name, status] of await rig.statuses()) {
    if (!status || status.state !== 'READY') {
      open.push(`${name} is ${status?.state ?? 'silent'}`);
      continue;
    }
    for (const [part, { lag = {}, shards = [], isActive, waiting = 0, ...cache }] of Object.entries(status.parts)) {
      if (cache.works && (cache.cache !== 'up' || cache.backlog !== 0))
        open.push(`the cache is ${cache.cache}, ${cache.backlog} keys wait for it`);
      if (cache.works) hasCache = true;
      if (cache.works && (cache.gaps?.length ?? 0) > 0) open.push('a projection waits for what is missing');
      for (const [topic, count] of Object.entries(lag))
        if (count > 0) open.push(`${name} ${part} lags ${count} on ${topic}`);
      for (const { shard, isLive, seq, durableSeq, publishedSeq, backlog } of shards) {
        if (isLive && seq === durableSeq && seq === publishedSeq && backlog === 0) live.add(shard);
      }
      if (isActive) hasRelay = true;
      if (isActive && waiting > 0) open.push(`the relay has ${waiting} rows to publish`);
    }
  }
  if (!hasRelay) open.push('no relay is at work');
  if (!hasCache) open.push('nobody fills the cache');
  for (const shard of rig.shardNames()) if (!live.has(shard)) open.push(`${shard} is not live and settled anywhere`);
  return open;
}

import {
  GenerationConflict,
  NoGeneration,
  type CacheAnswer,
  type CacheEntry,
  type CacheIdentity,
  type CacheListener,
  type CacheUpdate,
  type CacheVersion,
  type ProjectionCache,
} from '@moon/kernel';
import { assertKeepsKeys, connectRedis, createRedis, type RedisClient, type RedisClientOptions } from './client';
import type { RedisConfig } from './config';
import { explainFailedCommand, isBeingMoved, RedisUnusable, slotIsBeingMoved } from './errors';
import { SCRIPTS, type ScriptName } from './scripts';

type Scripted = Record<ScriptName, (key: string, ...values: string[]) => Promise<unknown>>;

/** Updates, keys in one call of a script: the server serves nobody else meanwhile. */
const UPDATES_AT_ONCE = 100;
const KEYS_AT_ONCE = 500;

export interface RedisProjectionCacheOptions {
  /** Told of what goes wrong with a connection in between; it reconnects by itself. */
  onError?: (error: Error) => void;
}

/**
 * Projections in Redis. Layout: `moon:{ENVIRONMENT}:GENERATION:KEY` for a value, the set `moon:{ENVIRONMENT}:GENERATION` for
 * the keys of a generation, the hash `moon:{ENVIRONMENT}:generations` for the pointer, the channel
 * `moon:{ENVIRONMENT}:changes` for what changes. The braces keep an environment in one slot of a cluster, for every write
 * reads the pointer in the same step (ADR 0031).
 */
export class RedisProjectionCache implements ProjectionCache {
  private readonly prefix: string;
  private readonly generations: string;
  private readonly channel: string;
  private readonly scripts: Scripted;
  private readonly subscriptions = new Set<Subscription>();
  /** Whether the server that is connected keeps what it takes (CCH-1), as far as that is known. */
  private keepsKeys = false;

  private constructor(
    private readonly client: RedisClient,
    private readonly config: RedisConfig,
    private readonly trouble: Trouble,
    private readonly options: RedisProjectionCacheOptions,
  ) {
    this.prefix = prefixOf(config);
    this.generations = `${this.prefix}generations`;
    this.channel = `${this.prefix}changes`;
    for (const [name, lua] of Object.entries(SCRIPTS)) client.defineCommand(name, { numberOfKeys: 1, lua });
    this.scripts = client as unknown as Scripted;
    client.on('ready', () => (this.keepsKeys = false));
  }

  /** @throws RedisUnusable one line that says why */
  static async connect(config: RedisConfig, options: RedisProjectionCacheOptions = {}): Promise<RedisProjectionCache> {
    const trouble: Trouble = { last: null };
    const client = await connectRedis(config, clientOptions(config, options, trouble));
    return new RedisProjectionCache(client, config, trouble, options);
  }

  /** Without waiting: it connects by itself, now or when Redis is there; until then its calls fail and say why. */
  static open(config: RedisConfig, options: RedisProjectionCacheOptions = {}): RedisProjectionCache {
    const trouble: Trouble = { last: null };
    const client = createRedis(config, clientOptions(config, options, trouble));
    return new RedisProjectionCache(client, config, trouble, options);
  }

  async put(updates: readonly CacheUpdate[]): Promise<boolean[]> {
    const digits = await this.write('moonPut', this.channel, updates);
    return [...digits].map((digit) => digit === '1');
  }

  async fill(generation: string, updates: readonly CacheUpdate[]): Promise<boolean[]> {
    const digits = await this.write('moonFill', generation, updates);
    return [...digits].map((digit) => digit === '1');
  }

  async get(keys: readonly string[]): Promise<CacheAnswer> {
    const pieces = await Promise.all(
      piecesOf(keys, KEYS_AT_ONCE).map((piece) => this.call('moonGet', this.prefix, ...piece)),
    );
    const answers = pieces as (string | null)[][];
    const [generation = null, whole = null] = answers[0] ?? [];
    // The pointer may have moved between two pieces; one answer is of one generation.
    if (answers.some(([other = null]) => other !== generation)) return this.get(keys);
    const texts = answers.flatMap((answer) => answer.slice(2));
    const entries = keys.map((_, index) => entryOf(texts[index] ?? null));
    return { generation, isWhole: whole === '1', entries };
  }

  async versions(keys: readonly string[], generation = ''): Promise<(CacheVersion | null)[]> {
    const pieces = await Promise.all(
      piecesOf(keys, KEYS_AT_ONCE).map((piece) => this.call('moonVersions', this.prefix, generation, ...piece)),
    );
    return (pieces as string[][]).flat().map((text) => /^[0-9a-f]+/.exec(text)?.[0] ?? null);
  }

  async *keys(): AsyncIterable<string[]> {
    const { generation } = await this.identity();
    if (generation === null) return;
    for (let cursor = '0'; ;) {
      const [next, keys] = await this.client.sscan(`${this.prefix}${generation}`, cursor, 'COUNT', KEYS_AT_ONCE);
      if (keys.length > 0) yield keys;
      if (next === '0') return;
      cursor = next;
    }
  }

  async subscribe(listener: CacheListener): Promise<() => Promise<void>> {
    const subscription = new Subscription(this.config, this.channel, listener, this.options);
    this.subscriptions.add(subscription);
    await subscription.start();
    return async () => {
      this.subscriptions.delete(subscription);
      await subscription.end();
    };
  }

  async identity(): Promise<CacheIdentity> {
    return identityOf(await this.call('moonIdentity'));
  }

  async probe(): Promise<CacheIdentity> {
    const identity = identityOf(await this.call('moonProbe', this.prefix));
    if (!this.keepsKeys) await this.checkKeepsKeys();
    return identity;
  }

  async open(generation: string): Promise<CacheIdentity> {
    await this.call('moonOpen', generation);
    return this.identity();
  }

  async complete(generation: string): Promise<void> {
    await this.call('moonComplete', generation, this.channel);
  }

  async begin(generation: string): Promise<void> {
    await this.call('moonBegin', generation);
  }

  async flip(generation: string): Promise<string> {
    return (await this.call('moonFlip', generation, this.channel)) as string;
  }

  async abandon(generation: string): Promise<void> {
    await this.call('moonAbandon', generation);
  }

  async drop(generation: string): Promise<number> {
    for (let dropped = 0; ;) {
      const count = (await this.call('moonDrop', this.prefix, generation, String(KEYS_AT_ONCE))) as number;
      if (count === 0) return dropped;
      dropped += count;
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.subscriptions].map((subscription) => subscription.end()));
    this.subscriptions.clear();
    this.client.disconnect();
  }

  /** All pieces are on their way at once; they are handled in their order. */
  private async write(name: 'moonPut' | 'moonFill', second: string, updates: readonly CacheUpdate[]): Promise<string> {
    const calls = piecesOf(updates, UPDATES_AT_ONCE, false).map((piece) => {
      const values = [this.prefix, second];
      for (const { key, version, value } of piece)
        values.push(key, version, value === null ? `${version}-` : `${version} ${value}`);
      return this.call(name, ...values);
    });
    return ((await Promise.all(calls)) as string[]).join('');
  }

  /** @throws RedisUnusable a server throws keys away; of one that does not say so now it is asked with the next probe */
  private async checkKeepsKeys(): Promise<void> {
    try {
      await assertKeepsKeys(this.config, this.client, this.prefix);
      this.keepsKeys = true;
    } catch (error) {
      if (error instanceof RedisUnusable && error.isFinal) throw error;
    }
  }

  private async call(name: ScriptName, ...values: string[]): Promise<unknown> {
    try {
      const answer = await this.scripts[name](this.generations, ...values);
      this.trouble.last = null;
      return answer;
    } catch (error) {
      throw meaningOf(error as Error, values) ?? explainFailedCommand(this.config, error as Error, this.trouble.last);
    }
  }
}

/** What went wrong with a connection last, until a command is answered. */
interface Trouble {
  last: Error | null;
}

function clientOptions(
  config: RedisConfig,
  { onError }: RedisProjectionCacheOptions,
  trouble: Trouble,
): RedisClientOptions {
  return {
    use: 'cache',
    name: 'moon-cache',
    key: prefixOf(config),
    onError: (error) => {
      trouble.last = error;
      onError?.(error);
    },
  };
}

const prefixOf = ({ environment }: RedisConfig): string => `moon:{${environment}}:`;

function identityOf(answer: unknown): CacheIdentity {
  const [server, history, generation = null, whole] = answer as (string | null)[];
  return { server: `${server ?? ''} ${history ?? ''}`, generation, isWhole: whole === '1' };
}

/** What the scripts refuse, as the port says it; null when it is not they who refused. */
function meaningOf(error: Error, values: readonly string[]): Error | null {
  if (isBeingMoved(error)) return slotIsBeingMoved(error);
  if (error.message.startsWith('NOGENERATION')) return new NoGeneration();
  const [, current, next] = /^GENERATION (\S+) (\S+)/.exec(error.message) ?? [];
  if (current === undefined || next === undefined) return null;
  const wanted = values.find((value) => /^\d+$/.test(value)) ?? '';
  return new GenerationConflict(wanted, current === '-' ? null : current, next === '-' ? null : next);
}

/** @param isAsked whether nothing at all is asked for, too: for the generation alone */
function piecesOf<T>(all: readonly T[], size: number, isAsked = true): (readonly T[])[] {
  const pieces: (readonly T[])[] = [];
  for (let at = 0; at < all.length; at += size) pieces.push(all.slice(at, at + size));
  return pieces.length === 0 && isAsked ? [[]] : pieces;
}

function entryOf(stored: string | null): CacheEntry | null {
  if (stored === null || stored === '') return null;
  const end = stored.search(/[^0-9a-f]/);
  const version = stored.slice(0, end);
  return { version, value: stored[end] === '-' ? null : stored.slice(end + 1) };
}

/** One listener's connection. Whenever it is made anew, changes may have been missed. */
class Subscription {
  private readonly client: RedisClient;
  private readonly beat: NodeJS.Timeout;
  private isFirst = true;
  private isEnded = false;

  constructor(
    config: RedisConfig,
    private readonly channel: string,
    private readonly listener: CacheListener,
    { onError }: RedisProjectionCacheOptions,
  ) {
    // In a cluster to the very node at which changes are written: between nodes a message may be lost, and nobody knows.
    const key = prefixOf(config);
    this.client = createRedis(config, { use: 'subscriber', name: 'moon-changes', key, ...(onError && { onError }) });
    this.client.on('message', (_channel: string, message: string) => this.receive(message));
    this.client.on('ready', () => this.connected());
    // A frozen server closes no connection; one that answers nothing is left.
    this.beat = setInterval(() => void this.client.ping().catch((error: Error) => onError?.(error)), config.timeoutMs);
    this.beat.unref();
  }

  async start(): Promise<void> {
    await this.client.subscribe(this.channel);
  }

  end(): Promise<void> {
    this.isEnded = true;
    clearInterval(this.beat);
    this.client.disconnect();
    return Promise.resolve();
  }

  private connected(): void {
    if (this.isFirst) this.isFirst = false;
    // The client subscribes again by itself; only after that nothing is missed any more.
    else
      void this.client.subscribe(this.channel).then(
        () => this.listener.resync(),
        () => undefined,
      );
  }

  private receive(message: string): void {
    // What is still on its way when the connection is closed is not wanted any more.
    if (this.isEnded) return;
    const end = message.indexOf('\n');
    const entry = entryOf(message.slice(end + 1));
    if (end === 0 || entry === null) this.listener.resync();
    else this.listener.changed({ key: message.slice(0, end), ...entry });
  }
}

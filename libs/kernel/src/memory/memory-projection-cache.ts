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
} from '../ports/projection-cache';

type Generation = Map<string, CacheEntry>;

/** What several caches in one process share, as clients share a server. */
export class MemoryCacheServer {
  current: string | null = null;
  next: string | null = null;
  isWhole = false;
  /** Changed by whoever plays a failover. */
  name = 'memory';
  readonly generations = new Map<string, Generation>();
  readonly listeners = new Set<CacheListener>();

  of(generation: string): Generation {
    const known = this.generations.get(generation);
    if (known) return known;
    const made: Generation = new Map();
    this.generations.set(generation, made);
    return made;
  }
}

/** A cache of projections in memory: for one process and for tests. It passes the same contract suite as the real one. */
export class MemoryProjectionCache implements ProjectionCache {
  constructor(private readonly server = new MemoryCacheServer()) {}

  put(updates: readonly CacheUpdate[]): Promise<boolean[]> {
    const { server } = this;
    const { current, next } = server;
    if (current === null) return Promise.reject(new NoGeneration());
    const applied = updates.map((update) => {
      if (next !== null) setIfNewer(server.of(next), update);
      const isNewer = setIfNewer(server.of(current), update);
      if (isNewer) for (const listener of server.listeners) listener.changed({ ...update });
      return isNewer;
    });
    return Promise.resolve(applied);
  }

  get(keys: readonly string[]): Promise<CacheAnswer> {
    const { current, isWhole } = this.server;
    const entries = keys.map((key) => (current === null ? null : (this.server.of(current).get(key) ?? null)));
    return Promise.resolve({ generation: current, isWhole, entries });
  }

  versions(keys: readonly string[], generation = this.server.current): Promise<(CacheVersion | null)[]> {
    const values = generation === null ? undefined : this.server.generations.get(generation);
    return Promise.resolve(keys.map((key) => values?.get(key)?.version ?? null));
  }

  async *keys(): AsyncIterable<string[]> {
    const { current } = this.server;
    const all = current === null ? [] : [...this.server.of(current).keys()];
    for (let at = 0; at < all.length; at += PAGE) yield await Promise.resolve(all.slice(at, at + PAGE));
  }

  subscribe(listener: CacheListener): Promise<() => Promise<void>> {
    this.server.listeners.add(listener);
    return Promise.resolve(() => {
      this.server.listeners.delete(listener);
      return Promise.resolve();
    });
  }

  identity(): Promise<CacheIdentity> {
    const { name, current, isWhole } = this.server;
    return Promise.resolve({ server: name, generation: current, isWhole });
  }

  probe(): Promise<CacheIdentity> {
    return this.identity();
  }

  open(generation: string): Promise<CacheIdentity> {
    const { server } = this;
    if (server.current === null) {
      server.current = generation;
      server.isWhole = false;
      server.of(generation);
    }
    return this.identity();
  }

  complete(generation: string): Promise<void> {
    if (this.server.current !== generation) return Promise.reject(this.conflict(generation));
    this.server.isWhole = true;
    return Promise.resolve();
  }

  begin(generation: string): Promise<void> {
    const { server } = this;
    const isFree = server.current !== null && (server.next === null || server.next === generation);
    if (!isFree || generation <= server.current!) return Promise.reject(this.conflict(generation));
    server.next = generation;
    server.of(generation);
    return Promise.resolve();
  }

  fill(generation: string, updates: readonly CacheUpdate[]): Promise<boolean[]> {
    if (this.server.next !== generation) return Promise.reject(this.conflict(generation));
    return Promise.resolve(updates.map((update) => setIfNewer(this.server.of(generation), update)));
  }

  flip(generation: string): Promise<string> {
    const { server } = this;
    const before = server.current;
    if (server.next !== generation || before === null) return Promise.reject(this.conflict(generation));
    server.current = generation;
    server.next = null;
    server.isWhole = true;
    for (const listener of server.listeners) listener.resync();
    return Promise.resolve(before);
  }

  abandon(generation: string): Promise<void> {
    if (this.server.next === generation) this.server.next = null;
    return Promise.resolve();
  }

  drop(generation: string): Promise<number> {
    if (generation === this.server.current || generation === this.server.next)
      return Promise.reject(this.conflict(generation));
    const size = this.server.generations.get(generation)?.size ?? 0;
    this.server.generations.delete(generation);
    return Promise.resolve(size);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  private conflict(wanted: string): GenerationConflict {
    return new GenerationConflict(wanted, this.server.current, this.server.next);
  }
}

/** Keys that `keys` gives at a time. */
const PAGE = 500;

function setIfNewer(values: Generation, { key, version, value }: CacheUpdate): boolean {
  const old = values.get(key);
  if (old && old.version >= version) return false;
  values.set(key, { version, value });
  return true;
}

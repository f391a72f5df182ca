import type { Clock } from '../ports/clock';
import type { CacheEntry, ProjectionCache } from '../ports/projection-cache';

/** What the event store says of some keys, folded for the purpose. */
export interface StoredAnswer {
  /** In the order of the keys. */
  entries: (CacheEntry | null)[];
  /** Time of the newest event that is in it, epoch ms. */
  asOf: number;
}

export interface ReadAnswer {
  entries: (CacheEntry | null)[];
  /** True when the cache did not answer, or not with all that it should hold. */
  isStale: boolean;
  /** Age (ms) of what is stale; null when it is not. */
  ageMs: number | null;
}

export interface CacheReaderOptions {
  cache: ProjectionCache;
  clock: Clock;
  /** Asked when the cache is down, empty or not filled yet. */
  fallback: (keys: readonly string[]) => Promise<StoredAnswer>;
  /** ms for which the cache is left alone after it failed, so that not every reader waits for it. */
  restMs?: number;
  /** Told why the cache did not answer. */
  onUnavailable?: (error: Error) => void;
}

const REST_MS = 500;

/** Reads projections; while the cache is away, from the event store and marked stale (CCH-4). */
export class CacheReader {
  private restsUntil = Number.NEGATIVE_INFINITY;

  constructor(private readonly options: CacheReaderOptions) {}

  /** @throws what the fallback throws, when the event store is away as well */
  async get(keys: readonly string[]): Promise<ReadAnswer> {
    const entries = await this.fromCache(keys);
    if (entries !== null) return { entries, isStale: false, ageMs: null };
    const stored = await this.options.fallback(keys);
    return {
      entries: stored.entries,
      isStale: true,
      ageMs: Math.max(0, this.options.clock.now() - stored.asOf),
    };
  }

  /** null when it cannot be relied on. */
  private async fromCache(keys: readonly string[]): Promise<(CacheEntry | null)[] | null> {
    const { cache, clock, restMs = REST_MS, onUnavailable } = this.options;
    if (clock.now() < this.restsUntil) return null;
    try {
      const { isWhole, entries } = await cache.get(keys);
      return isWhole ? entries : null;
    } catch (error) {
      this.restsUntil = clock.now() + restMs;
      onUnavailable?.(error instanceof Error ? error : new Error(String(error)));
      return null;
    }
  }
}

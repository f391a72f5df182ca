import type { Clock } from '../ports/clock';
import { NoGeneration, type CacheIdentity, type CacheUpdate, type ProjectionCache } from '../ports/projection-cache';

/** `catching-up`: it answers, but may not hold all that it should. */
export type CacheState = 'up' | 'down' | 'catching-up';

export interface CacheWriterOptions {
  cache: ProjectionCache;
  /** Wall time; names generations, too. */
  clock: Clock;
  /** All that the cache should hold now: what a projector shows. */
  entries: () => Iterable<CacheUpdate>;
  /** Keys that wait at most; beyond that the buffer is dropped, and recovery writes everything from `entries`. */
  maxPending?: number;
  /** ms between two looks at whether the same server still answers. */
  beatMs?: number;
  /** Told of every change, and while it is down of each reason once. */
  onState?: (state: CacheState, detail: string) => void;
}

/** Updates in one call of the cache. */
const UPDATES_AT_ONCE = 1_000;
const MAX_PENDING = 100_000;
const BEAT_MS = 500;

/**
 * Writes projections into the cache and survives its absence (CCH-4). Updates wait in a buffer that keeps the newest version of
 * each key, and are replayed in the order of these. Whenever another server answers, one that was restarted, or an emptied
 * one, everything is compared by version with what should be there and written again: a failover may lose what was
 * acknowledged. One writer fills an environment.
 */
export class CacheWriter {
  private readonly maxPending: number;
  private readonly beatMs: number;
  private pending = new Map<string, CacheUpdate>();
  private current: CacheState = 'down';
  private why: string | null = null;
  /** Why it has been down since it was up last: each is told once. */
  private readonly reasons = new Set<string>();
  private known: CacheIdentity | null = null;
  private lastBeat = Number.NEGATIVE_INFINITY;
  /** The buffer ran over: only a comparison knows what is missing. */
  private isIncomplete = true;
  private isStopped = false;
  private isPumping = false;
  private pumped: Promise<void> = Promise.resolve();
  private wake: () => void = () => undefined;
  private idleWaiters: Array<() => void> = [];

  constructor(private readonly options: CacheWriterOptions) {
    this.maxPending = options.maxPending ?? MAX_PENDING;
    this.beatMs = options.beatMs ?? BEAT_MS;
  }

  get state(): CacheState {
    return this.current;
  }

  /** What it was when it was asked last, in one line; null before the first answer or refusal. */
  get detail(): string | null {
    return this.why;
  }

  /** Keys that wait to be written. */
  get backlog(): number {
    return this.pending.size;
  }

  /** Begins to write; what `entries` gives is brought into the cache first. */
  start(): void {
    if (this.isPumping) return;
    this.isPumping = true;
    this.pumped = this.pump();
  }

  /** Never waits and never fails: what cannot be written now is written later. */
  write(updates: readonly CacheUpdate[]): void {
    for (const update of updates) {
      const waiting = this.pending.get(update.key);
      if (waiting && waiting.version >= update.version) continue;
      // At the end again: the buffer is in the order of the newest updates.
      this.pending.delete(update.key);
      this.pending.set(update.key, update);
    }
    if (this.pending.size > this.maxPending) {
      this.pending.clear();
      this.isIncomplete = true;
    }
    this.wake();
  }

  /** Resolves when everything that was given so far is in the cache. */
  idle(): Promise<void> {
    return new Promise((resolve) => {
      this.idleWaiters.push(resolve);
      this.wake();
    });
  }

  /** Ends after the call that is under way; what waits is not written any more. */
  async stop(): Promise<void> {
    this.isStopped = true;
    this.wake();
    await this.pumped;
  }

  private async pump(): Promise<void> {
    while (!this.isStopped) {
      try {
        if (this.isBeatDue() || this.isIncomplete || this.current !== 'up') await this.look();
        while (this.pending.size > 0 && !this.isStopped && !this.isIncomplete && !this.isBeatDue()) await this.flush();
        if (this.isBeatDue() || this.isIncomplete) continue;
        for (const resolve of this.idleWaiters.splice(0)) resolve();
      } catch (error) {
        this.enter('down', error instanceof Error ? error.message : String(error));
      }
      await this.rest();
    }
  }

  private isBeatDue(): boolean {
    return this.options.clock.now() >= this.lastBeat + this.beatMs;
  }

  /** Until there is something to do. While the cache is down that is the next beat alone. */
  private async rest(): Promise<void> {
    const { clock } = this.options;
    const isDown = this.current !== 'up';
    if (this.isStopped || (!isDown && (this.pending.size > 0 || this.isIncomplete))) return;
    let cancel: () => void = () => undefined;
    await new Promise<void>((resolve) => {
      cancel = clock.at(isDown ? clock.now() + this.beatMs : this.lastBeat + this.beatMs, resolve);
      this.wake = () => {
        if (this.isStopped || this.current === 'up') resolve();
      };
    });
    cancel();
    this.wake = () => undefined;
  }

  private async look(): Promise<void> {
    const { cache, clock } = this.options;
    const identity = await cache.probe();
    this.lastBeat = clock.now();
    const { known } = this;
    const isSame = known?.server === identity.server && known.generation === identity.generation && identity.isWhole;
    if (isSame && this.current === 'up' && !this.isIncomplete) return;
    await this.catchUp(identity, this.reason(identity));
  }

  private reason(identity: CacheIdentity): string {
    if (identity.generation === null) return 'the cache is empty';
    if (this.known === null) return 'the writer has started';
    if (this.known.server !== identity.server) return 'another server answers, or it was restarted';
    return this.isIncomplete ? 'more keys waited than the buffer holds' : 'the cache is back';
  }

  private async catchUp(found: CacheIdentity, reason: string): Promise<void> {
    const { cache, clock } = this.options;
    this.enter('catching-up', reason);
    this.isIncomplete = false;
    try {
      const identity = found.generation === null ? await cache.open(String(clock.now())) : found;
      while (this.pending.size > 0) await this.flush();
      const written = await this.compare();
      if (!identity.isWhole && identity.generation !== null) await cache.complete(identity.generation);
      this.known = { ...identity, isWhole: true };
      this.enter('up', `${written} keys were behind`);
    } catch (error) {
      this.isIncomplete = true;
      throw error;
    }
  }

  /** Writes what is missing or older in the cache than it should be. Returns how many keys that were. */
  private async compare(): Promise<number> {
    const { cache, entries } = this.options;
    let [batch, written]: [CacheUpdate[], number] = [[], 0];
    const settle = async (): Promise<void> => {
      const versions = await cache.versions(batch.map(({ key }) => key));
      const behind = batch.filter(({ version }, index) => (versions[index] ?? '') < version);
      if (behind.length > 0) await cache.put(behind);
      written += behind.length;
      batch = [];
    };
    for (const entry of entries()) {
      batch.push(entry);
      if (batch.length === UPDATES_AT_ONCE) await settle();
    }
    await settle();
    return written;
  }

  private async flush(): Promise<void> {
    const batch: CacheUpdate[] = [];
    for (const update of this.pending.values()) {
      if (batch.length === UPDATES_AT_ONCE) break;
      batch.push(update);
    }
    for (const { key } of batch) this.pending.delete(key);
    try {
      await this.options.cache.put(batch);
    } catch (error) {
      this.putBack(batch);
      if (error instanceof NoGeneration) this.isIncomplete = true;
      throw error;
    }
  }

  /** What was not acknowledged waits again, before everything else, unless something newer does. */
  private putBack(batch: readonly CacheUpdate[]): void {
    const newer = this.pending;
    this.pending = new Map(batch.filter(({ key }) => !newer.has(key)).map((update) => [update.key, update]));
    for (const [key, update] of newer) this.pending.set(key, update);
  }

  private enter(state: CacheState, detail: string): void {
    const isNews = state !== this.current || (state === 'down' && !this.reasons.has(detail));
    this.current = state;
    this.why = detail;
    if (state === 'up') this.reasons.clear();
    if (state === 'down') this.reasons.add(detail);
    if (isNews) this.options.onState?.(state, detail);
  }
}

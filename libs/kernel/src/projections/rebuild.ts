import type { CacheUpdate, ProjectionCache } from '../ports/projection-cache';
import type { LogRow } from '../ports/event-store';
import { Projector, type ParkedProjection } from './projector';

export interface RebuildProgress {
  /** `reading` the log to the cut, `writing` what was folded, `catching-up` with what came meanwhile. */
  phase: 'reading' | 'writing' | 'catching-up';
  /** Events handled so far. */
  events: number;
  /** Newest position of the log that is in it. */
  seq: number;
  cut: number;
}

export interface RebuildOptions {
  /** The log above a position, up to its present end. */
  read: (afterSeq: number) => AsyncIterable<LogRow>;
  /** Position up to which the log is read before anything is written: its end when the rebuild begins, or later. */
  cut: number;
  cache: ProjectionCache;
  /** Name of the new generation: epoch ms as text, above that of the present one. */
  generation: string;
  onProgress?: (progress: RebuildProgress) => void;
  /** Waits between two looks at the log while it is behind what readers see. */
  pause: () => Promise<void>;
  /** Looks at a log that grows no more before keys that are ahead of it end the rebuild. Default 20. */
  patience?: number;
  /** Flips although readers then lose values that the log does not have: to get rid of what is wrong with them. */
  isForced?: boolean;
}

export interface RebuildResult {
  generation: string;
  events: number;
  seq: number;
  keys: number;
  /** Keys of the old generation. */
  dropped: number;
  parked: ParkedProjection[];
  /** Keys whose value was ahead of the log, and is gone; empty unless forced. */
  aheadOfLog: string[];
}

/** Readers see what the log does not hold; the old generation stays. */
export class CacheAheadOfLog extends Error {
  override readonly name = 'CacheAheadOfLog';
  constructor(readonly keys: readonly string[]) {
    const shown = keys.slice(0, SHOWN_KEYS).join(', ');
    super(
      `${keys.length} keys of the cache are ahead of the log (${shown}${keys.length > SHOWN_KEYS ? ', …' : ''}): the recorder is ` +
        'behind, or they are wrong. Nothing was changed. Start the recorder and repeat, or force the rebuild.',
    );
  }
}

const SHOWN_KEYS = 5;
const PATIENCE = 20;
/** Entries that are written at once, and events between two reports of progress. */
const ENTRIES_AT_ONCE = 2_000;
const TOLD_EVERY = 50_000;

/**
 * Builds all projections anew under the next generation (rule 30) while writers and readers go on: reads the log to the cut,
 * writes what it folds to, catches up with what was shown meanwhile, moves the pointer in one step, deletes the old
 * generation. From the first step on every write of the live writers goes to both generations.
 */
export async function rebuildProjections(options: RebuildOptions): Promise<RebuildResult> {
  await options.cache.begin(options.generation);
  const rebuild = new Rebuild(options);
  try {
    return await rebuild.run();
  } catch (error) {
    throw await givenUp(options, error as Error);
  }
}

/** The error that ended a rebuild, with what went wrong when its generation was given up, if anything did. */
async function givenUp({ cache, generation }: RebuildOptions, error: Error): Promise<Error> {
  try {
    await cache.abandon(generation);
    await cache.drop(generation);
    return error;
  } catch (second) {
    const message = `${error.message} Its generation ${generation} could not be given up either: ${(second as Error).message}`;
    return new AggregateError([error, second], message);
  }
}

class Rebuild {
  private readonly projector = new Projector();
  private events = 0;
  private seq = 0;

  constructor(private readonly options: RebuildOptions) {}

  async run(): Promise<RebuildResult> {
    const { cache, generation, cut } = this.options;
    for await (const row of this.options.read(0)) {
      if (row.seq > cut) break;
      this.take(row);
      if (this.events % TOLD_EVERY === 0) this.tell('reading');
    }
    this.projector.settle();
    await this.write(this.projector.entries());
    const aheadOfLog = await this.catchUp();
    const before = await cache.flip(generation);
    const dropped = await cache.drop(before);
    return {
      ...{ generation, events: this.events, seq: this.seq, keys: this.projector.size, dropped, aheadOfLog },
      parked: this.projector.parked(),
    };
  }

  private take(row: LogRow): readonly string[] {
    this.events += 1;
    this.seq = row.seq;
    return this.projector.apply(row);
  }

  private async write(entries: Iterable<CacheUpdate>): Promise<void> {
    const { cache, generation } = this.options;
    let batch: CacheUpdate[] = [];
    for (const entry of entries) {
      batch.push(entry);
      if (batch.length < ENTRIES_AT_ONCE) continue;
      await cache.fill(generation, batch);
      this.tell('writing');
      batch = [];
    }
    await cache.fill(generation, batch);
    this.tell('writing');
  }

  /** Reads on until nothing that readers see is newer than what they would see. Returns what stays ahead of the log. */
  private async catchUp(): Promise<string[]> {
    const { read, pause, patience = PATIENCE, isForced = false } = this.options;
    for (let idle = 0; ;) {
      const changed = new Set<string>();
      const from = this.seq;
      for await (const row of read(this.seq)) for (const key of this.take(row)) changed.add(key);
      await this.write([...changed].map((key) => this.projector.entry(key)));
      this.tell('catching-up');
      const behind = await this.behind();
      if (behind.length === 0) return [];
      idle = this.seq > from ? 0 : idle + 1;
      if (idle >= patience && isForced) return behind;
      if (idle >= patience) throw new CacheAheadOfLog(behind);
      await pause();
    }
  }

  private async behind(): Promise<string[]> {
    const { cache, generation } = this.options;
    const found: string[] = [];
    for await (const keys of cache.keys()) {
      // The next generation is asked last: a live write between the two is in it, too.
      const shown = await cache.versions(keys);
      const built = await cache.versions(keys, generation);
      found.push(...keys.filter((_, index) => (built[index] ?? '') < (shown[index] ?? '')));
    }
    return found;
  }

  private tell(phase: RebuildProgress['phase']): void {
    this.options.onProgress?.({ phase, events: this.events, seq: this.seq, cut: this.options.cut });
  }
}

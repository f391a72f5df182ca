import type { AnyEvent } from '@moon/events';

/**
 * What a cached value stands for, as text that grows: digits and small hexadecimal letters only, compared as text. All
 * versions of one key have the same form: either that of a stream or that of an event.
 */
export type CacheVersion = string;

/** Digits of a number in a version: enough for every safe integer. */
const DIGITS = 16;

/** Version of what was folded from a stream up to and including its `version`-th event. */
export const streamVersion = (version: number): CacheVersion => String(version).padStart(DIGITS, '0');

/**
 * Version of what one event says alone. Ordered by the event's time, and among events of one millisecond by id: the same
 * event is the newest in whatever order they come, and one version never stands for two contents (ADR 0031).
 */
export const eventVersion = ({ occurredAt, id }: Pick<AnyEvent, 'occurredAt' | 'id'>): CacheVersion =>
  streamVersion(occurredAt) + id.replaceAll('-', '');

export interface CacheEntry {
  version: CacheVersion;
  /** JSON text; null = deleted at this version. */
  value: string | null;
}

export interface CacheUpdate extends CacheEntry {
  /** E.g. `portfolio:main`; without a line break. */
  key: string;
}

/** Who answers, and with what. */
export interface CacheIdentity {
  /** Another one after a restart or a failover: what an earlier one had acknowledged may be gone. */
  server: string;
  /** The generation that readers see; null = there is none, e.g. because the cache was emptied. */
  generation: string | null;
  /** False while a generation that replaces a lost one is being filled: a missing key then says nothing. */
  isWhole: boolean;
}

export interface CacheAnswer {
  generation: string | null;
  isWhole: boolean;
  /** In the order of the keys that were asked for; null = never written. */
  entries: (CacheEntry | null)[];
}

export interface CacheListener {
  /** A key has a newer version than before. Not told of what a rebuild fills in. */
  changed(update: CacheUpdate): void;
  /** Changes may have been missed, or another generation is read from now on: what is needed must be read again. */
  resync(): void;
}

/**
 * Projections for readers: values with the version that they stand for, which nothing but a newer version replaces and
 * which never expire (CCH-1). Truth is the log; decisions never read this (rule 21).
 *
 * Keys live in generations (rule 30). A rebuild fills the next one while writers go on: each `put` goes to the present and
 * to the next generation in one step, so that nothing is lost when the pointer moves.
 */
export interface ProjectionCache {
  /**
   * Writes what is newer than what is there; many at once in one round trip, in their order.
   * @returns for each whether it was newer
   * @throws NoGeneration nothing was ever opened, or the cache was emptied
   */
  put(updates: readonly CacheUpdate[]): Promise<boolean[]>;
  get(keys: readonly string[]): Promise<CacheAnswer>;
  /** The versions alone, of the present generation unless said otherwise; null = never written. */
  versions(keys: readonly string[], generation?: string): Promise<(CacheVersion | null)[]>;
  /** All keys of the present generation, deleted ones included, some hundred at a time; each at least once. */
  keys(): AsyncIterable<string[]>;
  subscribe(listener: CacheListener): Promise<() => Promise<void>>;
  identity(): Promise<CacheIdentity>;
  /**
   * The same, of a cache that can be relied on: it takes writes, and keeps what it takes. Changes nothing.
   * @throws Error one line that says why it cannot
   */
  probe(): Promise<CacheIdentity>;

  /** Makes this generation the present one if there is none; it is not whole until `complete`. Returns the present one. */
  open(generation: string): Promise<CacheIdentity>;
  /** All that belongs into the present generation is in it. */
  complete(generation: string): Promise<void>;
  /** Starts the next generation. @throws GenerationConflict another rebuild is under way, or the name is not above the present one's */
  begin(generation: string): Promise<void>;
  /** As `put`, into the next generation alone. @throws GenerationConflict it is not the next one any more */
  fill(generation: string, updates: readonly CacheUpdate[]): Promise<boolean[]>;
  /** The next generation becomes the present one. Returns the one before. @throws GenerationConflict */
  flip(generation: string): Promise<string>;
  /** Gives up the next generation: nothing is written to it any more. */
  abandon(generation: string): Promise<void>;
  /** Deletes a generation that is neither present nor next. Returns how many keys it had. */
  drop(generation: string): Promise<number>;
  close(): Promise<void>;
}

export class NoGeneration extends Error {
  override readonly name = 'NoGeneration';
  constructor() {
    super('The cache holds no generation: it is new, or was emptied. Whoever writes it fills it again from the log.');
  }
}

export class GenerationConflict extends Error {
  override readonly name = 'GenerationConflict';
  constructor(
    readonly wanted: string,
    readonly current: string | null,
    readonly next: string | null,
  ) {
    super(
      `Generation ${wanted} of the cache cannot be used: ${current ?? 'none'} is read and ${next ?? 'none'} is being built. ` +
        'Only one rebuild may run; one that was cut off is given up with "abandon".',
    );
  }
}

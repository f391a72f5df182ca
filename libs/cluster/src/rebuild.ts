import { RedisProjectionCache, soleWork, type ClusterLog } from '@moon/infra';
import {
  GenerationConflict,
  rebuildProjections,
  type LogRow,
  type ProjectionCache,
  type RebuildProgress,
  type RebuildResult,
} from '@moon/kernel';
import type { ClusterConfig } from './config';
import type { ClusterReader } from './reader';

export interface ClusterRebuildOptions {
  reader: Pick<ClusterReader, 'access' | 'database' | 'log'>;
  config: Pick<ClusterConfig, 'cache' | 'redis'>;
  /** Gives it up: readers go on as before. */
  signal: AbortSignal;
  /** Flips although readers then lose values that the log does not have. */
  isForced?: boolean;
  /** Told whenever rows were read or written. */
  onProgress?: (progress: RebuildProgress) => void;
}

export interface ClusterRebuildResult extends RebuildResult {
  /** The generation that readers saw until then. */
  before: string;
  /** Generation of a rebuild that was cut off and left its keys; null when there was none. */
  leftOver: string | null;
}

/** The rebuild was asked to end; nothing has changed for readers. */
export class RebuildInterrupted extends Error {
  override readonly name = 'RebuildInterrupted';
  constructor() {
    super('Interrupted: what was being built is deleted, and readers see the projections that they saw before.');
  }
}

/**
 * Positions of the log that are read again at each look: a row is given its position before it can be seen, and rows above it
 * may be seen first. Far more than all processes write while one transaction is under way.
 */
const OVERLAP = 20_000;
/** Wall time between two looks at the log while it is behind what readers see, ms. */
const LOOK_MS = 500;
/** Looks at a log that grows no more, while readers see more than it has. */
const PATIENCE = 20;

/**
 * Rebuilds all projections of a deployment beside its processes (rule 30). It reads the log and fills the next generation;
 * the recorder, which needs not be told, writes what is new to both generations from the first moment on. When nothing that
 * readers see is newer than what was built, the pointer moves.
 *
 * @throws Error in one sentence when it cannot be done, RebuildInterrupted; readers then see what they saw before
 */
export async function rebuildClusterProjections(options: ClusterRebuildOptions): Promise<ClusterRebuildResult> {
  const { config, reader } = options;
  if (config.cache === 'none')
    throw new Error('This deployment has no cache ("cache" is none): there are no projections to rebuild.');
  // It reconnects by itself; what fails meanwhile fails with a call.
  const cache = await RedisProjectionCache.connect(config.redis, { onError: () => undefined });
  try {
    const { access, database } = reader;
    const what = 'rebuild-projections';
    const result = await soleWork({ login: access.app, database, what }, (isSole) => rebuild(options, cache, isSole));
    if (result === null)
      throw new Error('Another rebuild of this deployment is under way: wait until it has ended, or interrupt it.');
    return result;
  } finally {
    await cache.close();
  }
}

async function rebuild(
  { reader: { log }, signal, isForced = false, onProgress }: ClusterRebuildOptions,
  cache: ProjectionCache,
  isSole: () => boolean,
): Promise<ClusterRebuildResult> {
  const { generation: before } = await cache.identity();
  if (before === null)
    throw new Error('The cache holds no projections yet: start the recorder, which fills it from the log.');
  const check = (): void => {
    if (signal.aborted) throw new RebuildInterrupted();
    if (!isSole()) throw new Error('The connection to the event store was lost, and with it the right to rebuild.');
  };
  const cut = await log.lastSeq();
  let phase: RebuildProgress['phase'] = 'reading';
  const source = new LogSource(log, (events, seq) => {
    check();
    onProgress?.({ phase, events, seq, cut });
  });
  const generation = String(Math.max(Date.now(), Number(before) + 1));
  const leftOver = await clearWay(cache, generation);
  const result = await rebuildProjections({
    ...{ cache, generation, cut, isForced, patience: PATIENCE },
    read: (afterSeq) => source.read(afterSeq),
    pause: async () => {
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
      check();
    },
    onProgress: (progress) => {
      phase = progress.phase;
      source.tell();
    },
  });
  return { ...result, events: source.events, before, leftOver };
}

/** What a rebuild that was killed left is in the way: whoever has the right to rebuild clears it away. Returns its name. */
async function clearWay(cache: ProjectionCache, generation: string): Promise<string | null> {
  try {
    await cache.begin(generation);
    return null;
  } catch (error) {
    if (!(error instanceof GenerationConflict) || error.next === null) throw error;
    await cache.abandon(error.next);
    await cache.drop(error.next);
    return error.next;
  }
}

/** Rows between two words about how far it is. */
const TOLD_EVERY = 1_000;

/** Reads the log so that late rows near its end are not passed over, and counts each position once. */
class LogSource {
  events = 0;
  private newest = 0;
  private untold = 0;

  constructor(
    private readonly log: Pick<ClusterLog, 'readLog'>,
    private readonly onRows: (events: number, seq: number) => void,
  ) {}

  tell(): void {
    this.untold = 0;
    this.onRows(this.events, this.newest);
  }

  async *read(afterSeq: number): AsyncIterable<LogRow> {
    for await (const row of this.log.readLog(Math.max(0, afterSeq - OVERLAP))) {
      if (row.seq > this.newest) {
        this.newest = row.seq;
        this.events += 1;
      }
      if ((this.untold += 1) === TOLD_EVERY) this.tell();
      yield row;
    }
  }
}

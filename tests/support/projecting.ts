import {
  CacheMonitor,
  CacheReader,
  CacheWriter,
  MemoryEventStore,
  Projector,
  RunningClock,
  storedProjections,
  type CacheState,
  type CacheUpdate,
  type LogRow,
  type ProjectionCache,
  type RebuildOptions,
} from '@moon/kernel';

/** What the recorder does with a log: folds it and writes what is shown anew. */
export class Projecting {
  readonly projector = new Projector();
  readonly states: CacheState[] = [];
  readonly writer: CacheWriter;
  readonly monitor: CacheMonitor;
  readonly reader: CacheReader;
  /** The log that readers are answered from while the cache is away. */
  private readonly log = new MemoryEventStore();

  constructor(readonly cache: ProjectionCache) {
    const clock = new RunningClock();
    this.monitor = new CacheMonitor({ clock, downAfterMs: 200, upAfterMs: 200 });
    this.writer = new CacheWriter({
      ...{ cache, clock, beatMs: 200, entries: () => this.projector.entries() },
      onState: (state, detail) => {
        this.states.push(state);
        this.monitor.report(state, detail);
      },
    });
    this.reader = new CacheReader({ cache, clock, fallback: storedProjections(this.log) });
    this.writer.start();
  }

  take(rows: readonly LogRow[]): void {
    void this.log.appendBatch(rows);
    for (const row of rows) this.writer.write(this.projector.fold(row));
  }

  async until(state: CacheState): Promise<void> {
    while (this.writer.state !== state) await new Promise((resolve) => setTimeout(resolve, 10));
  }

  async stop(): Promise<void> {
    await this.writer.stop();
    this.monitor.stop();
    await this.cache.close();
  }
}

/** Everything that the present generation holds, as text; sorted by key. */
export async function cachedText(cache: ProjectionCache): Promise<string[]> {
  const keys = new Set<string>();
  for await (const page of cache.keys()) for (const key of page) keys.add(key);
  const sorted = [...keys].sort();
  const { entries } = await cache.get(sorted);
  return sorted.map((key, index) => `${key} ${entries[index]?.version} ${entries[index]?.value}`);
}

/** Everything that a log says, in the same form. */
export function projectedText(rows: Iterable<LogRow>): string[] {
  const projector = new Projector();
  for (const row of rows) projector.apply(row);
  const line = ({ key, version, value }: CacheUpdate): string => `${key} ${version} ${value}`;
  return [...projector.entries()].sort((a, b) => (a.key < b.key ? -1 : 1)).map(line);
}

/** Reads a log that is an array of rows, however long it has become meanwhile. */
export const readRows = (rows: readonly LogRow[]): RebuildOptions['read'] =>
  async function* (afterSeq) {
    for (let at = 0; at < rows.length; at += 1) {
      const row = rows[at]!;
      if (row.seq > afterSeq) yield await Promise.resolve(row);
    }
  };

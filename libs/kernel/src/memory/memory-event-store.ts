import {
  ConcurrencyConflict,
  LogDiverged,
  type Checkpoint,
  type CheckpointEntry,
  type EventPage,
  type EventQuery,
  type EventStore,
  type LogRow,
} from '../ports/event-store';

/** Checkpoints that are kept. */
const KEPT_CHECKPOINTS = 3;

/** An event store in memory: for replays and tests. It passes the same contract suite as the real one. */
export class MemoryEventStore implements EventStore {
  private readonly rows: LogRow[] = [];
  private readonly bySeq = new Map<number, LogRow>();
  private readonly ids = new Set<string>();
  private readonly versions = new Map<string, number>();
  private readonly snapshots = new Map<string, { version: number; text: string }>();
  private checkpoints: Array<{ seq: number; text: string }> = [];

  appendBatch(rows: readonly LogRow[]): Promise<void> {
    const fresh: LogRow[] = [];
    const versions = new Map<string, number>();
    for (const row of rows) {
      const stored = this.bySeq.get(row.seq);
      if (stored && stored.event.id !== row.event.id) return Promise.reject(new LogDiverged(row.seq, stored.event.id, row.event.id));
      if (this.ids.has(row.event.id)) continue;
      if (row.streamId !== undefined && row.version !== undefined) {
        const actual = versions.get(row.streamId) ?? this.versions.get(row.streamId) ?? 0;
        if (actual !== row.version - 1) return Promise.reject(new ConcurrencyConflict(row.streamId, row.version - 1, actual));
        versions.set(row.streamId, row.version);
      }
      fresh.push(row);
    }
    for (const row of fresh) {
      this.ids.add(row.event.id);
      this.bySeq.set(row.seq, row);
      this.rows.push(row);
    }
    for (const [stream, version] of versions) this.versions.set(stream, version);
    this.rows.sort((a, b) => a.seq - b.seq);
    return Promise.resolve();
  }

  async *readLog(fromSeq: number, limit = Number.POSITIVE_INFINITY): AsyncIterable<LogRow> {
    let given = 0;
    for (const row of [...this.rows]) {
      if (row.seq <= fromSeq) continue;
      if (given >= limit) return;
      given += 1;
      yield await Promise.resolve(row);
    }
  }

  lastSeq(): Promise<number> {
    return Promise.resolve(this.rows[this.rows.length - 1]?.seq ?? 0);
  }

  async *readStream(streamId: string, fromVersion = 0): AsyncIterable<LogRow> {
    for (const row of this.rows) {
      if (row.streamId === streamId && (row.version ?? 0) > fromVersion) yield await Promise.resolve(row);
    }
  }

  query(query: EventQuery): Promise<EventPage> {
    const newest = query.order === 'newest';
    const matching = this.rows.filter((row) => matches(row, query));
    const ordered = newest ? matching.reverse() : matching;
    const after = query.cursor === undefined ? null : Number(query.cursor);
    const rest = after === null ? ordered : ordered.filter((row) => (newest ? row.seq < after : row.seq > after));
    const rows = rest.slice(0, query.limit);
    const last = rows[rows.length - 1];
    return Promise.resolve({ rows, cursor: rest.length > rows.length && last ? String(last.seq) : null });
  }

  countsByType(): Promise<Record<string, number>> {
    const counts: Record<string, number> = {};
    for (const { event } of this.rows) counts[event.type] = (counts[event.type] ?? 0) + 1;
    return Promise.resolve(counts);
  }

  saveCheckpoint(seq: number, entries: readonly CheckpointEntry[], meta: Record<string, unknown>): Promise<void> {
    const others = this.checkpoints.filter((checkpoint) => checkpoint.seq !== seq);
    this.checkpoints = [...others, { seq, text: JSON.stringify({ seq, entries, meta }) }].slice(-KEPT_CHECKPOINTS);
    return Promise.resolve();
  }

  latestCheckpoint(): Promise<Checkpoint | null> {
    const latest = this.checkpoints[this.checkpoints.length - 1];
    return Promise.resolve(latest ? (JSON.parse(latest.text) as Checkpoint) : null);
  }

  saveSnapshot(streamId: string, version: number, state: unknown): Promise<void> {
    this.snapshots.set(streamId, { version, text: JSON.stringify(state) });
    return Promise.resolve();
  }

  loadSnapshot(streamId: string): Promise<{ version: number; state: unknown } | null> {
    const snapshot = this.snapshots.get(streamId);
    return Promise.resolve(snapshot ? { version: snapshot.version, state: JSON.parse(snapshot.text) as unknown } : null);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

function matches({ event, streamId }: LogRow, query: EventQuery): boolean {
  const data = event.data as { token?: string };
  return (
    (query.types?.includes(event.type) ?? true) &&
    (query.token === undefined || data.token === query.token) &&
    (query.key === undefined || event.key === query.key) &&
    (query.from === undefined || event.occurredAt >= query.from) &&
    (query.to === undefined || event.occurredAt < query.to) &&
    (query.correlationId === undefined || event.correlationId === query.correlationId) &&
    (query.causationId === undefined || event.causationId === query.causationId) &&
    (query.eventId === undefined || event.id === query.eventId) &&
    (query.streamId === undefined || streamId === query.streamId)
  );
}

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
    for (const [at, row] of rows.entries()) {
      const before = rows[at - 1]?.seq;
      if (before !== undefined && row.seq !== before + 1) {
        return Promise.reject(new RangeError(`Row ${row.seq} does not follow row ${before} of its batch.`));
      }
      const stored = this.bySeq.get(row.seq);
      if (stored && stored.event.id !== row.event.id)
        return Promise.reject(new LogDiverged(row.seq, stored.event.id, row.event.id));
      if (this.ids.has(row.event.id)) continue;
      if (row.streamId !== undefined && row.version !== undefined) {
        const actual = versions.get(row.streamId) ?? this.versions.get(row.streamId) ?? 0;
        if (actual !== row.version - 1)
          return Promise.reject(new ConcurrencyConflict(row.streamId, row.version - 1, actual));
        versions.set(row.streamId, row.version);
      }
      fresh.push(row);
    }
    const inOrder = (fresh[0]?.seq ?? Infinity) > (this.rows[this.rows.length - 1]?.seq ?? 0);
    for (const row of fresh) {
      this.ids.add(row.event.id);
      this.bySeq.set(row.seq, row);
      this.rows.push(row);
    }
    for (const [stream, version] of versions) this.versions.set(stream, version);
    if (!inOrder) this.rows.sort((a, b) => a.seq - b.seq);
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
    const sign = query.order === 'newest' ? -1 : 1;
    const order = (a: Place, b: Place): number => sign * (a.at - b.at || a.seq - b.seq);
    const after = query.cursor === undefined ? null : (JSON.parse(query.cursor) as Place);
    const rest = this.rows
      .filter((row) => matches(row, query) && (after === null || order(placeOf(row), after) > 0))
      .sort((a, b) => order(placeOf(a), placeOf(b)));
    const rows = rest.slice(0, query.limit);
    const last = rows[rows.length - 1];
    return Promise.resolve({ rows, cursor: rest.length > rows.length && last ? JSON.stringify(placeOf(last)) : null });
  }

  countsByType(): Promise<Record<string, number>> {
    const counts: Record<string, number> = {};
    for (const { event } of this.rows) counts[event.type] = (counts[event.type] ?? 0) + 1;
    return Promise.resolve(counts);
  }

  saveCheckpoint(seq: number, entries: readonly CheckpointEntry[], meta: Record<string, unknown>): Promise<void> {
    const others = this.checkpoints.filter((checkpoint) => checkpoint.seq !== seq);
    this.checkpoints = [...others, { seq, text: JSON.stringify({ seq, entries, meta }) }]
      .sort((a, b) => a.seq - b.seq)
      .slice(-KEPT_CHECKPOINTS);
    return Promise.resolve();
  }

  latestCheckpoint(): Promise<Checkpoint | null> {
    const latest = this.checkpoints[this.checkpoints.length - 1];
    return Promise.resolve(latest ? (JSON.parse(latest.text) as Checkpoint) : null);
  }

  saveSnapshot(streamId: string, version: number, state: unknown): Promise<void> {
    const known = this.snapshots.get(streamId);
    if (!known || known.version < version) this.snapshots.set(streamId, { version, text: JSON.stringify(state) });
    return Promise.resolve();
  }

  loadSnapshot(streamId: string): Promise<{ version: number; state: unknown } | null> {
    const snapshot = this.snapshots.get(streamId);
    return Promise.resolve(
      snapshot ? { version: snapshot.version, state: JSON.parse(snapshot.text) as unknown } : null,
    );
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

/** Pages are ordered by time, and by position among equal times. */
interface Place {
  at: number;
  seq: number;
}

const placeOf = ({ seq, event }: LogRow): Place => ({ at: event.occurredAt, seq });

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

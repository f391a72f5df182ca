import { CATALOG, type AnyEvent } from '@moon/events';
import type { ConcurrencyConflict, LogRow } from '../../ports/event-store';

const ORDER = 'order-';

/**
 * The versions of the streams that a shard writes, and nobody else: it counts them itself. The stream of an order that is
 * over is let go of, so what is counted is bounded by what is under way. News of such an order that come too late are
 * numbered as if they began its stream; the store refuses that and says where the stream stands (see `goOnWhereStored`).
 */
export class StreamNumbers {
  private readonly versions: Map<string, number>;

  constructor(versions: Readonly<Record<string, number>> = {}) {
    this.versions = new Map(Object.entries(versions));
  }

  /** The row with its place in the stream that the shard appends it to; undefined when it belongs to none. */
  number({ seq, event }: LogRow, shard: string): LogRow | undefined {
    const streamId = streamOfShard(event, shard);
    if (streamId === null) return undefined;
    const version = (this.versions.get(streamId) ?? 0) + 1;
    if (endsOrder(event)) this.versions.delete(streamId);
    else this.versions.set(streamId, version);
    return { seq, event, streamId, version };
  }

  /** As `goOnWhereStored`, for what is numbered from here on, too. @param rows that are numbered and not stored */
  goOn(conflict: ConcurrencyConflict, rows: readonly LogRow[]): boolean {
    const missed = goOnWhereStored(conflict, rows);
    const counted = this.versions.get(conflict.streamId);
    if (missed > 0 && counted !== undefined) this.versions.set(conflict.streamId, counted + missed);
    return missed > 0;
  }

  /** Versions of the streams that are not over. */
  list(): Record<string, number> {
    return Object.fromEntries(this.versions);
  }
}

/**
 * Moves the rows of an order's stream on to where the store has it.
 *
 * @returns by how many versions; 0 when the conflict is another one, which no renumbering may hide
 */
export function goOnWhereStored({ streamId, expected, actual }: ConcurrencyConflict, rows: readonly LogRow[]): number {
  const missed = actual - expected;
  if (!streamId.startsWith(ORDER) || missed <= 0) return 0;
  for (const row of rows) if (row.streamId === streamId) row.version = (row.version ?? 0) + missed;
  return missed;
}

/** Numbers the rows of a batch on where an order's stream ends and begins again in it. */
export function followOn(rows: readonly LogRow[]): void {
  const last = new Map<string, number>();
  for (const row of rows) {
    const { streamId = '', version = 0 } = row;
    if (!streamId.startsWith(ORDER)) continue;
    row.version = Math.max(version, (last.get(streamId) ?? 0) + 1);
    last.set(streamId, row.version);
  }
}

/** Without the orders' streams: older code kept those of every order that ever was. */
export function withoutOrders(versions: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(versions).filter(([streamId]) => !streamId.startsWith(ORDER)));
}

/**
 * The stream that a shard appends an event to; null for one that is bus-first. Streams that every shard writes to are one
 * stream a shard: there is nobody who could count versions for all of them.
 */
export function streamOfShard({ type, data }: AnyEvent, shard: string): string | null {
  const { streamRule, streamId } = CATALOG[type];
  const plain = streamId(data);
  const isShared = streamRule === 'audit' || streamRule === 'config' || plain === 'halts-global';
  return plain !== null && isShared ? `${plain}@${shard}` : plain;
}

function endsOrder({ type, data }: AnyEvent): boolean {
  if (type === 'trade.executed') return data.status === 'FILLED';
  return type === 'trade.rejected' || type === 'trade.cancelled' || type === 'trade.expired';
}

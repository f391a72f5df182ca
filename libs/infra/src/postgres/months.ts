import type { TextPool } from './pool';

const MONTHS_A_YEAR = 12;

/** Keeps in mind which months have their partitions. */
export class Months {
  private readonly ready = new Set<number>();
  private from = 0;
  private to = 0;

  constructor(private readonly pool: TextPool) {}

  /**
   * Stores rows where there is room for them. Retention drops whole months: one that is gone since it was known is made anew, and
   * the work is done once more.
   */
  async withRoom<T>(rows: Iterable<{ event: { occurredAt: number } }>, work: () => Promise<T>): Promise<T> {
    await this.ensure(rows);
    try {
      return await work();
    } catch (error) {
      if (!hasNoPartition(error)) throw error;
      this.forget();
      await this.ensure(rows);
      return work();
    }
  }

  /** Makes the partitions that the rows need; nearly always none, and then without a question to the server. */
  async ensure(rows: Iterable<{ event: { occurredAt: number } }>): Promise<void> {
    let missing: Map<number, number> | undefined;
    for (const { event } of rows) {
      const at = event.occurredAt;
      if (at >= this.from && at < this.to) continue;
      const date = new Date(at);
      const month = date.getUTCFullYear() * MONTHS_A_YEAR + date.getUTCMonth();
      if (!this.ready.has(month)) (missing ??= new Map()).set(month, at);
      else {
        this.from = Date.UTC(date.getUTCFullYear(), date.getUTCMonth());
        this.to = Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1);
      }
    }
    if (!missing) return;
    const instants = [...missing.values()].map((at) => new Date(at).toISOString());
    await this.pool.rows('ensure_partitions', 'SELECT ensure_partitions($1::timestamptz[])', [instants]);
    for (const month of missing.keys()) this.ready.add(month);
  }

  private forget(): void {
    this.ready.clear();
    this.from = this.to = 0;
  }
}

const CHECK_VIOLATION = '23514';

/** A violated check has a name; that there is no partition for a row has none. */
function hasNoPartition(error: unknown): boolean {
  const { code, constraint } = error as { code?: unknown; constraint?: unknown };
  return code === CHECK_VIOLATION && constraint === undefined;
}

import type { TextPool } from './pool';

const MONTHS_A_YEAR = 12;

/** Keeps in mind which months have their partitions. */
export class Months {
  private readonly ready = new Set<number>();
  private from = 0;
  private to = 0;

  constructor(private readonly pool: TextPool) {}

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
}

import { LogDiverged } from '@moon/kernel';
import type { LogRow } from '@moon/kernel';
import { Months } from './months';
import type { TextPool } from './pool';
import { toStoredRow } from './rows';
import { appended, codeOf, StreamVersions } from './stream-versions';

const APPEND = `SELECT append_log($1::bigint, $2::bigint, $3::bigint, $4::bigint, $5::json, $6::json,
  $7::text[], $8::bigint[], $9::bigint[], $10::boolean)`;

/** What append_log and the constraints behind it answer with. */
const POSITION_TAKEN = 'MN410';
const UNIQUE_VIOLATION = '23505';

/** A position whose event was in the log already, at another position. */
const PASSED_OVER = '(an event that was stored before)';

/** Rows of the two tables apart; streams with the version that the batch expects and the one it leaves. */
function partsOf(rows: readonly LogRow[]) {
  const bus: unknown[] = [];
  const stream: unknown[] = [];
  const versions = new StreamVersions();
  let fromMs = Infinity;
  let toMs = -Infinity;
  for (const row of rows) {
    const { streamId, event } = row;
    if (event.occurredAt < fromMs) fromMs = event.occurredAt;
    if (event.occurredAt > toMs) toMs = event.occurredAt;
    if (streamId === undefined) {
      bus.push(toStoredRow(row));
      continue;
    }
    stream.push(toStoredRow(row));
    versions.add(row, streamId);
  }
  return { bus, stream, versions, fromMs, toMs };
}

function assertContiguous(rows: readonly LogRow[]): void {
  for (let at = 1; at < rows.length; at += 1) {
    const before = rows[at - 1]!.seq;
    if (rows[at]!.seq !== before + 1)
      throw new RangeError(`Row ${rows[at]!.seq} does not follow row ${before} of its batch.`);
  }
}

const jsonOrNull = (rows: readonly unknown[]): string | null => (rows.length === 0 ? null : JSON.stringify(rows));

/** Appends batches to the log of one database. */
export class LogAppender {
  private readonly months: Months;

  constructor(
    private readonly pool: TextPool,
    /** Wake the relay after batches with stream rows; a notification costs commits their concurrency. */
    private readonly wakeRelay: boolean,
  ) {
    this.months = new Months(pool);
  }

  async append(rows: readonly LogRow[]): Promise<void> {
    if (rows.length === 0) return;
    assertContiguous(rows);
    await this.months.ensure(rows);
    try {
      await this.insert(rows);
    } catch (error) {
      const code = codeOf(error);
      if (code !== POSITION_TAKEN && code !== UNIQUE_VIOLATION) throw error;
      await this.insertMissing(rows, error);
    }
  }

  private async insert(rows: readonly LogRow[]): Promise<void> {
    const { bus, stream, versions, fromMs, toMs } = partsOf(rows);
    const range = [rows[0]!.seq, rows[rows.length - 1]!.seq, fromMs, toMs];
    const values = [...range, jsonOrNull(bus), jsonOrNull(stream), ...versions.parameters, this.wakeRelay];
    await appended(() => this.pool.rows('append_log', APPEND, values));
  }

  /** Some of the batch is stored already: a repeat after a lost answer, or another writer. Tells which, row by row. */
  private async insertMissing(rows: readonly LogRow[], cause: unknown): Promise<void> {
    const claimed = await this.claimedPositions(rows);
    const byId = new Set(await this.storedIds(rows));
    const missing = rows.filter(({ seq, event }) => {
      const holder = claimed(seq);
      if (holder !== null && holder !== event.id && holder !== PASSED_OVER)
        throw new LogDiverged(seq, holder, event.id);
      if (byId.has(event.id)) return false;
      if (holder !== null) throw new LogDiverged(seq, holder, event.id);
      return true;
    });
    if (missing.length === rows.length) throw cause;
    for (const run of contiguousRuns(missing)) await this.insert(run);
  }

  private async storedIds(rows: readonly LogRow[]): Promise<string[]> {
    const ids = rows.map(({ event }) => event.id);
    const { fromMs, toMs } = partsOf(rows);
    const text = `SELECT event_id FROM log WHERE event_id = ANY ($1::uuid[])
      AND occurred_at BETWEEN to_timestamp($2::bigint / 1000.0) AND to_timestamp($3::bigint / 1000.0)`;
    return (await this.pool.rows('stored_ids', text, [ids, fromMs, toMs])).map(([id]) => id!);
  }

  /** For a position: the id of the event that holds it, PASSED_OVER when that one was, null when it is free. */
  private async claimedPositions(rows: readonly LogRow[]): Promise<(seq: number) => string | null> {
    const range = [rows[0]!.seq, rows[rows.length - 1]!.seq];
    const overlapping = `first_seq <= $2::bigint AND last_seq >= $1::bigint
      AND first_seq >= coalesce((SELECT max(first_seq) FROM log_batches WHERE first_seq <= $1::bigint), 0)`;
    const batches = await this.pool.rows(
      'claimed_batches',
      `SELECT first_seq, last_seq FROM log_batches WHERE ${overlapping}`,
      range,
    );
    const holders = await this.pool.rows(
      'claimed_rows',
      `SELECT l.seq, l.event_id FROM log_batches b JOIN log l
         ON l.occurred_at BETWEEN b.from_at AND b.to_at AND l.seq BETWEEN b.first_seq AND b.last_seq
       WHERE ${overlapping} AND l.seq BETWEEN $1::bigint AND $2::bigint`,
      range,
    );
    const idAt = new Map(holders.map(([seq, id]) => [Number(seq), id!]));
    const ranges = batches.map(([from, to]) => [Number(from), Number(to)] as const);
    return (seq) => {
      if (!ranges.some(([from, to]) => seq >= from && seq <= to)) return null;
      return idAt.get(seq) ?? PASSED_OVER;
    };
  }
}

function contiguousRuns(rows: readonly LogRow[]): LogRow[][] {
  const runs: LogRow[][] = [];
  for (const row of rows) {
    const run = runs[runs.length - 1];
    if (run && run[run.length - 1]!.seq + 1 === row.seq) run.push(row);
    else runs.push([row]);
  }
  return runs;
}

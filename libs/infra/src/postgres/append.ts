import { ConcurrencyConflict, LogDiverged } from '@moon/kernel';
import type { LogRow } from '@moon/kernel';
import type { TextPool } from './pool';
import { toStoredRow } from './rows';

const APPEND = `SELECT append_log($1::bigint, $2::bigint, $3::bigint, $4::bigint, $5::json, $6::json,
  $7::text[], $8::bigint[], $9::bigint[], $10::boolean)`;

/** What append_log and the constraints behind it answer with. */
const STREAM_CONFLICT = 'MN409';
const POSITION_TAKEN = 'MN410';
const UNIQUE_VIOLATION = '23505';
/** Serialisation failure and deadlock: nothing was written, the same again is right. */
const TRY_AGAIN = new Set(['40001', '40P01']);
const ATTEMPTS = 5;

/** A position whose event was in the log already, at another position. */
const PASSED_OVER = '(an event that was stored before)';

interface StreamVersion {
  stream: string;
  expected: number;
  version: number;
}

interface Conflict {
  stream: string;
  expected: number;
  actual: number;
}

const codeOf = (error: unknown): string | undefined => (error as { code?: string } | null)?.code;

/** Rows of the two tables apart; streams with the version that the batch expects and the one it leaves. */
function partsOf(rows: readonly LogRow[]) {
  const bus: unknown[] = [];
  const stream: unknown[] = [];
  const versions = new Map<string, StreamVersion>();
  let fromMs = Infinity;
  let toMs = -Infinity;
  for (const row of rows) {
    const { streamId, version, event, seq } = row;
    if (event.occurredAt < fromMs) fromMs = event.occurredAt;
    if (event.occurredAt > toMs) toMs = event.occurredAt;
    if (streamId === undefined) {
      bus.push(toStoredRow(row));
      continue;
    }
    stream.push(toStoredRow(row));
    const known = versions.get(streamId);
    if (version === undefined || version < 1 || (known && version !== known.version + 1)) {
      throw new RangeError(
        `Row ${seq}: version ${version} of stream ${streamId} does not follow ${known?.version ?? 'any'}.`,
      );
    }
    if (known) known.version = version;
    else versions.set(streamId, { stream: streamId, expected: version - 1, version });
  }
  // In one order everywhere, so that two writers cannot wait for each other.
  const sorted = [...versions.values()].sort((a, b) => (a.stream < b.stream ? -1 : 1));
  return { bus, stream, versions: sorted, fromMs, toMs };
}

function assertContiguous(rows: readonly LogRow[]): void {
  for (let at = 1; at < rows.length; at += 1) {
    const before = rows[at - 1]!.seq;
    if (rows[at]!.seq !== before + 1)
      throw new RangeError(`Row ${rows[at]!.seq} does not follow row ${before} of its batch.`);
  }
}

const jsonOrNull = (rows: readonly unknown[]): string | null => (rows.length === 0 ? null : JSON.stringify(rows));

const MONTHS_A_YEAR = 12;

/** Keeps in mind which months have their partitions. */
class Months {
  private readonly ready = new Set<number>();
  private from = 0;
  private to = 0;

  constructor(private readonly pool: TextPool) {}

  /** Makes the partitions that the rows need; nearly always none, and then without a question to the server. */
  async ensure(rows: readonly LogRow[]): Promise<void> {
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
    const streams = [versions.map(({ stream: id }) => id), versions.map(({ expected }) => expected)];
    const rowsAndStreams = [jsonOrNull(bus), jsonOrNull(stream), ...streams, versions.map(({ version }) => version)];
    const values = [...range, ...rowsAndStreams, this.wakeRelay];
    for (let attempt = 1; ; attempt += 1) {
      try {
        await this.pool.rows('append_log', APPEND, values);
        return;
      } catch (error) {
        if (codeOf(error) === STREAM_CONFLICT) throw conflictFrom(error);
        if (attempt === ATTEMPTS || !TRY_AGAIN.has(codeOf(error) ?? '')) throw error;
      }
    }
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

function conflictFrom(error: unknown): ConcurrencyConflict {
  const [{ stream, expected, actual }] = JSON.parse((error as { detail: string }).detail) as [Conflict];
  return new ConcurrencyConflict(stream, expected, actual);
}

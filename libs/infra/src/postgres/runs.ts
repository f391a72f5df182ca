import type { JsonObject } from '@moon/events';
import type { DataSource } from 'typeorm';
import type { PostgresAccess } from './access';
import { createDataSource, migrateUp } from './data-source';
import { PostgresEventStore } from './event-store';
import type { PostgresEventStoreOptions } from './event-store';
import { StoredInputs, type InputQuery } from './input-source';

/**
 * `imported`: a log of market data alone; `backtest`: what a backtest emitted, and the log of completed backtests. No
 * platform works on either.
 */
export type RunMode = 'live' | 'synthetic' | 'recorded' | 'imported' | 'backtest';

/** One run: a log and portfolios of its own, in a database of its own (rule 4). */
export interface Run {
  /** live, synthetic, recorded-<fingerprint>-<n>, or the name of an imported log. */
  runId: string;
  mode: RunMode;
  /** Of a recorded run: what it replays, and how. */
  fingerprint: string | null;
  database: string;
  status: 'open' | 'finished';
  /** Epoch ms. */
  openedAt: number;
  /** When it was last opened to be written to, epoch ms. */
  usedAt: number;
  finishedAt: number | null;
  details: JsonObject;
  result: JsonObject | null;
}

export interface RunRequest {
  mode: RunMode;
  /** Required for recorded runs: 8 to 64 hexadecimal digits over files, settings and code that make the result. */
  fingerprint?: string;
  /** Of an imported log, or of a backtest's; default: imported, backtests. */
  name?: string;
  details?: JsonObject;
}

export interface OpenedRun {
  run: Run;
  /** True when the run was there already and goes on after its last event. */
  resumed: boolean;
}

export const REGISTRY_DATABASE = 'moon_runs';

interface RunRow {
  run_id: string;
  mode: RunMode;
  fingerprint: string | null;
  database: string;
  status: Run['status'];
  opened_at: Date;
  used_at: Date;
  finished_at: Date | null;
  details: JsonObject;
  result: JsonObject | null;
}

const fromRow = (row: RunRow): Run => ({
  runId: row.run_id,
  mode: row.mode,
  fingerprint: row.fingerprint,
  database: row.database,
  status: row.status,
  openedAt: row.opened_at.getTime(),
  usedAt: row.used_at.getTime(),
  finishedAt: row.finished_at?.getTime() ?? null,
  details: row.details,
  result: row.result,
});

/** Imported logs have a prefix of their own: a name that a user chose must not be the registry's, or another run's. */
function databaseOf(mode: RunMode, name: string): string {
  if (mode === BACKTEST) return name === BACKTESTS ? `moon_${BACKTESTS}` : `moon_backtest_${backtestDatabase(name)}`;
  const prefix = mode === IMPORTED && name !== IMPORTED ? 'moon_imported_' : 'moon_';
  return `${prefix}${name.replaceAll('-', '_')}`;
}

const FINGERPRINT = /^[0-9a-f]{8,64}$/;
/** Enough to tell runs apart in a database's name, which has at most 63 characters. */
const SHOWN_DIGITS = 16;

const IMPORTED = 'imported';
const BACKTEST = 'backtest';
/** The log of completed backtests. */
const BACKTESTS = 'backtests';
/** What of a backtest's name is left to its database's, which has at most 63 characters. */
const BACKTEST_DIGITS = 40;

/** The end of the name tells backtests apart: time and random digits. */
function backtestDatabase(name: string): string {
  return name.slice(-BACKTEST_DIGITS).replaceAll(/[^a-z0-9]/g, '_');
}
const LOG_NAME = /^[a-z][a-z0-9-]{0,39}$/;
/** What other runs are called. */
const TAKEN_NAME = /^(live|synthetic|recorded(-.*)?|backtests|backtest-.*)$/;

/**
 * The runs of one server. Live, synthetic and each imported log are one run each, resumed at every start; a recorded run
 * that was cut off is resumed, a finished one starts afresh beside it.
 */
export class RunRegistry {
  private constructor(
    private readonly access: PostgresAccess,
    private readonly source: DataSource,
  ) {}

  /** Makes or updates the registry's own database first. */
  static async open(access: PostgresAccess): Promise<RunRegistry> {
    await migrateUp(access, REGISTRY_DATABASE, 'registry');
    return new RunRegistry(access, await createDataSource(access.app, REGISTRY_DATABASE, 'registry').initialize());
  }

  /** Finds or makes the run, with its database at the newest schema. */
  async openRun(request: RunRequest): Promise<OpenedRun> {
    const found = await this.latest(request);
    if (found && (request.mode !== 'recorded' || found.status === 'open')) {
      await migrateUp(this.access, found.database, 'run');
      await this.source.query('UPDATE runs SET used_at = now() WHERE run_id = $1', [found.runId]);
      return { run: found, resumed: true };
    }
    const run = await this.register(request);
    await migrateUp(this.access, run.database, 'run');
    return { run, resumed: false };
  }

  private async latest({
    mode,
    fingerprint,
    name = mode === BACKTEST ? BACKTESTS : IMPORTED,
  }: RunRequest): Promise<Run | null> {
    if (mode === BACKTEST) return this.findRun(name);
    if (mode === IMPORTED) {
      if (!LOG_NAME.test(name) || TAKEN_NAME.test(name)) {
        throw new RangeError(
          `An imported log cannot be called "${name}": use 1 to 40 small letters, digits and dashes, a letter first, and not the name of another kind of run.`,
        );
      }
      return this.findRun(name);
    }
    if (mode === 'recorded' && !(fingerprint && FINGERPRINT.test(fingerprint))) {
      throw new RangeError(`A recorded run needs a fingerprint of 8 to 64 hexadecimal digits, not "${fingerprint}".`);
    }
    const rows = await this.source.query<RunRow[]>(
      `SELECT * FROM runs WHERE mode = $1 AND ($2::text IS NULL OR fingerprint = $2) ORDER BY opened_at DESC, run_id DESC LIMIT 1`,
      [mode, mode === 'recorded' ? fingerprint : null],
    );
    return rows[0] ? fromRow(rows[0]) : null;
  }

  private async register(request: RunRequest): Promise<Run> {
    const { mode, fingerprint, details = {} } = request;
    const name = await this.newName(request);
    const rows = await this.source.query<RunRow[]>(
      `INSERT INTO runs (run_id, mode, fingerprint, database, status, details) VALUES ($1, $2, $3, $4, 'open', $5) RETURNING *`,
      [name, mode, mode === 'recorded' ? fingerprint : null, databaseOf(mode, name), JSON.stringify(details)],
    );
    return fromRow(rows[0]!);
  }

  private newName({ mode, fingerprint, name = mode === BACKTEST ? BACKTESTS : IMPORTED }: RunRequest): Promise<string> {
    if (mode === 'recorded') return this.nextRecordedName(fingerprint!);
    if (mode === BACKTEST) return Promise.resolve(name);
    return Promise.resolve(mode === IMPORTED ? name : mode);
  }

  private async nextRecordedName(fingerprint: string): Promise<string> {
    const shown = fingerprint.slice(0, SHOWN_DIGITS);
    const [row] = await this.source.query<{ count: string }[]>(
      `SELECT count(*) FROM runs WHERE mode = 'recorded' AND left(fingerprint, ${SHOWN_DIGITS}) = $1`,
      [shown],
    );
    return `recorded-${shown}-${Number(row!.count) + 1}`;
  }

  /** All runs, the one that was opened last first. */
  async listRuns(): Promise<Run[]> {
    const rows = await this.source.query<RunRow[]>(
      'SELECT * FROM runs ORDER BY used_at DESC, opened_at DESC, run_id DESC',
    );
    return rows.map(fromRow);
  }

  async findRun(runId: string): Promise<Run | null> {
    const rows = await this.source.query<RunRow[]>('SELECT * FROM runs WHERE run_id = $1', [runId]);
    return rows[0] ? fromRow(rows[0]) : null;
  }

  /** A recorded run came to the end of its data; its result is kept. Finishing twice keeps the first result. */
  async finishRun(runId: string, result: JsonObject): Promise<void> {
    await this.source.query(
      `UPDATE runs SET status = 'finished', finished_at = now(), result = $2 WHERE run_id = $1 AND status = 'open'`,
      [runId, JSON.stringify(result)],
    );
  }

  /** The event store of a run. */
  openStore(run: Run, options?: PostgresEventStoreOptions): PostgresEventStore {
    return new PostgresEventStore(this.access.app, run.database, options);
  }

  /**
   * The market inputs of a run as a source for a replay: of files in the order of time (rule 1), of a live or synthetic run as
   * they arrived. Whoever opens it closes it.
   */
  openInputs(run: Run, query: Omit<InputQuery, 'order'> = {}): Promise<StoredInputs> {
    const order = run.mode === 'imported' || run.mode === 'recorded' ? 'time' : 'recorded';
    return StoredInputs.open(this.access.app, run.database, { ...query, order });
  }

  close(): Promise<void> {
    return this.source.destroy();
  }
}

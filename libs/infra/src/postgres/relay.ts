import type { LogRow } from '@moon/kernel';
import { Client } from 'pg';
import type { Login } from './access';
import { TextPool } from './pool';
import type { TextRow } from './pool';
import { fromColumns, ROW_COLUMNS } from './rows';

/** Publishes rows in the given order; resolves when all of them are acknowledged. */
export type PublishBatch = (rows: readonly LogRow[]) => Promise<void>;

export interface RelayOptions {
  /** Name of the relay; its cursor is kept under it. */
  name?: string;
  batchRows?: number;
  /** A notification is a hint that may be lost: it looks by itself this often, too. */
  pollMs?: number;
  /** After a failed read or publication. */
  retryMs?: number;
  onError?: (error: Error) => void;
}

/**
 * Order of commit visibility: by (tx, position), below the oldest transaction that is still under way. A cursor on the
 * position alone would pass over rows of a transaction that commits later. `relay_tx` is not called tx: ORDER BY would
 * otherwise sort the text alias.
 */
const NEXT_ROWS = `SELECT ${ROW_COLUMNS}, e.tx::text AS relay_tx, e.position
  FROM stream_events e
  WHERE (e.tx, e.position) > ($1::xid8, $2::bigint) AND e.tx < pg_snapshot_xmin(pg_current_snapshot())
  ORDER BY e.tx, e.position LIMIT $3::bigint`;

/** Columns of NEXT_ROWS behind those of a row. */
const CURSOR_COLUMNS = 2;

interface Cursor {
  tx: string;
  position: string;
}

const START: Cursor = { tx: '0', position: '0' };

/**
 * Publishes the store-first events of a run, and only those (rule 28): at least once, each stream in its order. The
 * cursor moves after the publication is acknowledged; after a crash in between, a batch is published again and its
 * receivers tell it by event id and stream version (rule 27).
 */
export class StreamRelay {
  private readonly pool: TextPool;
  private readonly name: string;
  private readonly settings: Required<Omit<RelayOptions, 'name' | 'onError'>>;
  private readonly onError: (error: Error) => void;
  private listener: Client | null = null;
  private cursor: Cursor | null = null;
  private isStopping = false;
  private wake: (() => void) | null = null;
  private isWoken = false;
  private running: Promise<void> | null = null;

  constructor(
    private readonly login: Login,
    private readonly database: string,
    private readonly publish: PublishBatch,
    options: RelayOptions = {},
  ) {
    this.name = options.name ?? 'stream-events';
    this.settings = {
      batchRows: options.batchRows ?? 2_000,
      pollMs: options.pollMs ?? 200,
      retryMs: options.retryMs ?? 500,
    };
    this.onError = options.onError ?? (() => undefined);
    this.pool = new TextPool(login, database, { connections: 2, onError: this.onError });
  }

  start(): void {
    this.running ??= this.run();
  }

  /** Ends after the batch that is under way. */
  async stop(): Promise<void> {
    this.isStopping = true;
    this.wake?.();
    await this.running;
    await this.listener?.end();
    await this.pool.end();
  }

  private async run(): Promise<void> {
    while (!this.isStopping) {
      try {
        await this.listen();
        this.cursor ??= await this.loadCursor();
        const published = await this.relayBatch(this.cursor);
        if (published < this.settings.batchRows) await this.pause(this.settings.pollMs);
      } catch (error) {
        this.onError(error as Error);
        await this.pause(this.settings.retryMs);
      }
    }
  }

  /** Waits for a notification, at most that long. */
  private pause(ms: number): Promise<void> {
    if (this.isWoken || this.isStopping) {
      this.isWoken = false;
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.wake?.(), ms);
      this.wake = () => {
        clearTimeout(timer);
        this.wake = null;
        this.isWoken = false;
        resolve();
      };
    });
  }

  private async listen(): Promise<void> {
    if (this.listener) return;
    const client = new Client({ ...this.login, database: this.database, connectionTimeoutMillis: 10_000 });
    const lost = (error?: Error): void => {
      if (this.listener === client) this.listener = null;
      if (error) this.onError(error);
    };
    client.on('error', lost);
    client.on('end', () => lost());
    client.on('notification', () => {
      this.isWoken = true;
      this.wake?.();
    });
    await client.connect();
    await client.query('LISTEN stream_events');
    this.listener = client;
  }

  /** Transaction ids start anew in a restored cluster; a cursor of another one would hide rows. */
  private async clusterId(): Promise<string> {
    const [row] = await this.pool.rows('cluster', 'SELECT system_identifier FROM pg_control_system()', []);
    return row![0]!;
  }

  private async loadCursor(): Promise<Cursor> {
    const text = 'SELECT cluster, tx, position FROM relay_cursors WHERE relay = $1';
    const [row] = await this.pool.rows('load_cursor', text, [this.name]);
    if (!row || row[0] !== (await this.clusterId())) return START;
    return { tx: row[1]!, position: row[2]! };
  }

  private async saveCursor({ tx, position }: Cursor): Promise<void> {
    await this.pool.rows(
      'save_cursor',
      `INSERT INTO relay_cursors (relay, cluster, tx, position)
       SELECT $1, system_identifier::text, $2::xid8, $3::bigint FROM pg_control_system()
       ON CONFLICT (relay) DO UPDATE SET cluster = excluded.cluster, tx = excluded.tx, position = excluded.position`,
      [this.name, tx, position],
    );
  }

  private async relayBatch(after: Cursor): Promise<number> {
    this.isWoken = false;
    const rows = await this.pool.rows('next_rows', NEXT_ROWS, [after.tx, after.position, this.settings.batchRows]);
    const last = rows[rows.length - 1];
    if (!last) return 0;
    await this.publish(rows.map((columns) => fromColumns(columns)));
    this.cursor = cursorOf(last);
    await this.saveCursor(this.cursor);
    return rows.length;
  }
}

const cursorOf = (row: TextRow): Cursor => {
  const [tx, position] = row.slice(-CURSOR_COLUMNS);
  return { tx: tx!, position: position! };
};

import { hostname } from 'node:os';
import type { LogRow } from '@moon/kernel';
import { connect } from '../access';
import type { Login } from '../access';
import { TextPool } from '../pool';
import type { TextRow } from '../pool';
import { fromColumns, ROW_COLUMNS } from '../rows';
import { isTransientStoreError } from '../transient';
import { RelayFenced, RelayLease } from './relay-lease';
import type { Cursor, Lease } from './relay-lease';

/** A row on its way to the broker. */
export interface RelayedRow extends LogRow {
  /** The shard that emitted it. */
  shard: string | null;
}

/** Publishes rows in the given order; resolves when all of them are acknowledged. */
export type PublishBatch = (rows: readonly RelayedRow[]) => Promise<void>;

/** Rows wait although they are committed: a transaction that began before them is still open. */
export interface HeldBack {
  /** How long it has been seen to hold rows back. */
  ms: number;
  /** Who it is, in one line, and what to do. */
  detail: string;
}

export interface RelayOptions {
  /** Name of the relay; its cursor is kept under it. */
  name?: string;
  /** Who this instance is, for people who look at the cursor. */
  owner?: string;
  batchRows?: number;
  /** A notification is a hint that may be lost: it looks by itself this often, too. */
  pollMs?: number;
  /** After a failed read or publication, and while another relay is at work. */
  retryMs?: number;
  /** A relay that does not move for so long is replaced. Longer than a publication takes, or two will take turns. */
  leaseMs?: number;
  /** Rows that wait so long for another transaction's end are reported. */
  heldBackMs?: number;
  onError?: (error: Error) => void;
  /** Told once for each transaction that holds rows back for too long. */
  onHeldBack?: (held: HeldBack) => void;
}

export interface RelayStatus {
  /** True while this instance has the lease. */
  isActive: boolean;
  epoch: number | null;
  /** Rows that this instance has published. */
  published: number;
  /** Rows of the log that are not published yet, counted up to 10,000. */
  waiting: number;
  /** How long the oldest of them has been held back by another transaction; 0 when none is. */
  heldBackMs: number;
}

/**
 * Order of commit visibility: by (tx, position), below the oldest transaction that is still under way. A cursor on the
 * position alone would pass over rows of a transaction that commits later. `relay_tx` is not called tx: ORDER BY would
 * otherwise sort the text alias.
 */
const NEXT_ROWS = `SELECT ${ROW_COLUMNS}, e.shard, e.tx::text AS relay_tx, e.position
  FROM stream_events e
  WHERE (e.tx, e.position) > ($1::xid8, $2::bigint) AND e.tx < pg_snapshot_xmin(pg_current_snapshot())
  ORDER BY e.tx, e.position LIMIT $3::bigint`;

/** Columns of NEXT_ROWS behind those of a row. */
const CURSOR_COLUMNS = 3;

/** The session asks little; one that does not answer is lost. */
const SESSION_MS = 2_000;

const MOST_WAITING = 10_000;

const WAITING = `SELECT count(*) FROM (
    SELECT FROM stream_events e, (SELECT coalesce(max(tx), '0') AS tx, coalesce(max(position), 0) AS position
      FROM relay_cursors WHERE relay = $1) AS c
    WHERE (e.tx, e.position) > (c.tx, c.position) LIMIT ${MOST_WAITING}) AS waiting`;

/** Asked when nothing is to be relayed: a row, if there is something all the same. */
const HELD_BACK = `SELECT pg_snapshot_xmin(pg_current_snapshot())
  WHERE EXISTS (SELECT FROM stream_events e WHERE (e.tx, e.position) > ($1::xid8, $2::bigint))`;

const HOLDER = `SELECT pid, datname, coalesce(application_name, ''), coalesce(usename, '') FROM pg_stat_activity
  WHERE backend_xid::text::bigint = $1::bigint % 4294967296`;

/**
 * Publishes the store-first events of a cluster, and only those (rule 28): at least once, each stream in its order. The
 * cursor moves after the publication is acknowledged; after a crash in between, a batch is published again and its
 * receivers tell it by event id and stream version (rule 27). Of several instances one is at work.
 */
export class StreamRelay {
  private readonly pool: TextPool;
  private readonly lease: RelayLease;
  private readonly name: string;
  private readonly settings: Record<'batchRows' | 'pollMs' | 'retryMs' | 'leaseMs' | 'heldBackMs', number>;
  private isStopping = false;
  private wake: (() => void) | null = null;
  private isWoken = false;
  private running: Promise<void> | null = null;
  private published = 0;
  private held: { xmin: string; since: number; isReported: boolean } | null = null;

  /** @param login the application's role */
  constructor(
    login: Login,
    database: string,
    private readonly publish: PublishBatch,
    private readonly options: RelayOptions = {},
  ) {
    this.name = options.name ?? 'stream-events';
    this.settings = {
      batchRows: options.batchRows ?? 2_000,
      pollMs: options.pollMs ?? 200,
      retryMs: options.retryMs ?? 500,
      leaseMs: options.leaseMs ?? 10_000,
      heldBackMs: options.heldBackMs ?? 3_000,
    };
    this.pool = new TextPool(login, database, { connections: 2, onError: (error) => options.onError?.(error) });
    const owner = options.owner ?? `${hostname()}:${process.pid}`;
    const leaseOptions = { relay: this.name, owner, leaseMs: this.settings.leaseMs };
    this.lease = new RelayLease(
      this.pool,
      () => connect(login, database, { query_timeout: SESSION_MS }),
      leaseOptions,
      {
        onNotified: () => this.wakeUp(),
        onLost: (error) => {
          if (error) options.onError?.(error);
          // Whoever waits for a notification waits in vain.
          this.wakeUp();
        },
      },
    );
  }

  start(): void {
    this.running ??= this.run();
  }

  /** Ends after the batch that is under way. */
  async stop(): Promise<void> {
    this.isStopping = true;
    this.wake?.();
    await this.running;
    await this.lease.release();
    await this.pool.end();
  }

  async status(): Promise<RelayStatus> {
    const [row] = await this.pool.rows('relay_waiting', WAITING, [this.name]);
    return { ...this.own(), waiting: Number(row![0]) };
  }

  /** What it knows without asking the store. */
  own(): Omit<RelayStatus, 'waiting'> {
    return {
      isActive: this.lease.epoch !== null,
      epoch: this.lease.epoch,
      published: this.published,
      heldBackMs: this.held ? performance.now() - this.held.since : 0,
    };
  }

  private async run(): Promise<void> {
    while (!this.isStopping) {
      try {
        const lease = await this.lease.hold();
        if (lease === null) await this.pause(this.settings.retryMs);
        else if ((await this.relayBatch(lease)) < this.settings.batchRows) await this.pause(this.settings.pollMs);
      } catch (error) {
        // A lock without the right to move the cursor would keep every other relay from its work; and one that is held
        // at a server which does not answer is worth nothing.
        if (error instanceof RelayFenced || isTransientStoreError(error)) await this.lease.release();
        this.options.onError?.(error as Error);
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

  private wakeUp(): void {
    this.isWoken = true;
    this.wake?.();
  }

  private async relayBatch(lease: Lease): Promise<number> {
    this.isWoken = false;
    const { tx, position } = lease.cursor;
    const rows = await this.pool.rows('next_rows', NEXT_ROWS, [tx, position, this.settings.batchRows]);
    const last = rows[rows.length - 1];
    if (!last) {
      await this.lease.renew(lease);
      await this.watchHeldBack(lease.cursor);
      return 0;
    }
    this.held = null;
    await this.publish(rows.map(relayedFrom));
    await this.lease.save(lease, cursorOf(last));
    this.published += rows.length;
    return rows.length;
  }

  /** Any open transaction that has written something holds rows back, in whatever database of the server it is. */
  private async watchHeldBack({ tx, position }: Cursor): Promise<void> {
    const [row] = await this.pool.rows('held_back', HELD_BACK, [tx, position]);
    const xmin = row?.[0];
    if (xmin == null) {
      this.held = null;
      return;
    }
    if (this.held?.xmin !== xmin) this.held = { xmin, since: performance.now(), isReported: false };
    const ms = performance.now() - this.held.since;
    if (this.held.isReported || ms < this.settings.heldBackMs) return;
    this.held.isReported = true;
    const [holder] = await this.pool.rows('xmin_holder', HOLDER, [xmin]);
    this.options.onHeldBack?.({ ms, detail: holderLine(xmin, holder) });
  }
}

function holderLine(xmin: string, holder: TextRow | undefined): string {
  const who = holder
    ? `backend ${holder[0]} (database ${holder[1]}, application "${holder[2]}", user ${holder[3]})`
    : 'a backend that is not to be seen';
  return (
    `Transaction ${xmin} of ${who} is open and holds back stream events that were committed after it began. ` +
    'End it, and set idle_in_transaction_session_timeout.'
  );
}

const relayedFrom = (columns: TextRow): RelayedRow => ({
  ...fromColumns(columns),
  shard: columns[columns.length - CURSOR_COLUMNS] ?? null,
});

const cursorOf = (row: TextRow): Cursor => {
  const [tx, position] = row.slice(1 - CURSOR_COLUMNS);
  return { tx: tx!, position: position! };
};

import type { Client } from 'pg';
import { dropClient } from '../ha/primary';
import type { TextPool } from '../pool';

/** How far a relay has published: order of commit visibility. Texts: numbers of 64 bits. */
export interface Cursor {
  tx: string;
  position: string;
}

export interface Lease {
  epoch: number;
  cursor: Cursor;
}

/** Another relay has taken over: this one may not move the cursor any more. */
export class RelayFenced extends Error {
  override readonly name = 'RelayFenced';
  constructor(relay: string, epoch: number) {
    super(`Relay ${relay}: another instance took over from epoch ${epoch}; this one stands by.`);
  }
}

export interface LeaseOptions {
  relay: string;
  owner: string;
  /** One that does not move for so long is taken to be frozen. */
  leaseMs: number;
}

/** Signs of life in the time after which a relay is taken to be frozen. */
const RENEWALS = 4;

/** The session of the active relay holds this lock: when its process dies, the next one knows at once. */
const LOCK = "hashtext('moon-relay'), hashtext($1)";

const TRY_LOCK = `SELECT pg_try_advisory_lock(${LOCK}) AS held`;

/** A frozen process keeps its session, and with it the lock: the server ends it. The cursor's epoch fences the process. */
const END_FROZEN = `SELECT pg_terminate_backend(pid) FROM pg_locks, relay_cursors
  WHERE locktype = 'advisory' AND granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND (classid::bigint, objid::bigint) = (hashtext('moon-relay') & x'ffffffff'::bigint, hashtext($1) & x'ffffffff'::bigint)
    AND relay = $1 AND renewed_at < clock_timestamp() - $2::bigint * INTERVAL '1 millisecond'`;

/** Transaction ids that pass by at most between the one of a transaction and those of its subtransactions. */
const LONGEST_TRANSACTION = 1_000_000;

/**
 * A row that this server's own transaction wrote, or one of the server that this was copied from file by file: where rows are
 * restored one by one, they say by whom they were written there and, in xmin, by whom here.
 */
const IS_NATIVE = `(e.xmin::text::bigint - e.tx::text::bigint % 4294967296 + 4294967296) % 4294967296 < ${LONGEST_TRANSACTION}`;

/**
 * A cursor that another server left says where to go on if its transaction ids are comparable with this one's. They are where
 * files were copied (`pg_upgrade`), as the row at the cursor shows. Where rows were restored one by one, ids start anew, and
 * the cursor would hide rows, unless they were moved above it before anything was written.
 */
const CAN_GO_ON = `SELECT FROM relay_cursors AS held WHERE relay = $1
  AND held.cluster <> (SELECT system_identifier::text FROM pg_control_system())
  AND held.tx < pg_snapshot_xmin(pg_current_snapshot())
  AND (EXISTS (SELECT FROM stream_events e WHERE e.tx = held.tx AND e.position = held.position AND ${IS_NATIVE})
    OR NOT EXISTS (SELECT FROM stream_events e
      -- As numbers: the index of tx would lead through the whole log.
      WHERE e.position > held.position AND e.tx::text::bigint < held.tx::text::bigint AND ${IS_NATIVE}))`;

/** $3: whether a cursor of another server holds here. */
const TAKE = `INSERT INTO relay_cursors AS held (relay, cluster, tx, position, epoch, owner, renewed_at)
  SELECT $1, system_identifier::text, '0', 0, 1, $2, clock_timestamp() FROM pg_control_system()
  ON CONFLICT (relay) DO UPDATE SET epoch = held.epoch + 1, owner = excluded.owner, renewed_at = excluded.renewed_at,
    cluster = excluded.cluster,
    tx = CASE WHEN $3 OR held.cluster = excluded.cluster THEN held.tx ELSE excluded.tx END,
    position = CASE WHEN $3 OR held.cluster = excluded.cluster THEN held.position ELSE excluded.position END
  RETURNING epoch, tx, position`;

const SAVE = `UPDATE relay_cursors SET tx = $3::xid8, position = $4::bigint, renewed_at = clock_timestamp()
  WHERE relay = $1 AND epoch = $2::bigint RETURNING epoch`;

const RENEW = `UPDATE relay_cursors SET renewed_at = clock_timestamp()
  WHERE relay = $1 AND epoch = $2::bigint RETURNING epoch`;

/**
 * The right to relay, and the connection that hears of new rows. One relay at a time has it: by a lock of its session,
 * which ends with the process, and by the epoch at the cursor, which holds where a lock cannot: against a process that was
 * frozen, was replaced, and wakes up in the middle of its work.
 */
export class RelayLease {
  private session: Client | null = null;
  private lease: Lease | null = null;
  private renewedAt = 0;

  constructor(
    private readonly pool: TextPool,
    private readonly connect: () => Promise<Client>,
    private readonly options: LeaseOptions,
    private readonly hooks: { onNotified: () => void; onLost: (error?: Error) => void },
  ) {}

  get epoch(): number | null {
    return this.lease?.epoch ?? null;
  }

  /** The lease, taken now if it is to be had; null while another relay is at work. */
  async hold(): Promise<Lease | null> {
    const session = (this.session ??= await this.open());
    if (this.lease) return this.lease;
    const { rows } = await session.query<{ held: boolean }>(TRY_LOCK, [this.options.relay]);
    if (rows[0]!.held) {
      // Before the first read: what is stored after it is heard of.
      await session.query('LISTEN stream_events');
      return this.take();
    }
    await this.pool.rows('end_frozen_relay', END_FROZEN, [this.options.relay, this.options.leaseMs]);
    return null;
  }

  /** @throws RelayFenced */
  async save(lease: Lease, cursor: Cursor): Promise<void> {
    await this.write('save_cursor', SAVE, [this.options.relay, lease.epoch, cursor.tx, cursor.position]);
    lease.cursor = cursor;
  }

  /** Says that this relay is alive, where there was nothing to relay. @throws RelayFenced */
  async renew(lease: Lease): Promise<void> {
    // Often enough that a slow server or a busy process is not taken for a frozen one.
    if (performance.now() - this.renewedAt < this.options.leaseMs / RENEWALS) return;
    await this.write('renew_relay', RENEW, [this.options.relay, lease.epoch]);
  }

  /** Lets go of the lock: the next one may start at once. */
  async release(): Promise<void> {
    const session = this.session;
    this.session = null;
    this.lease = null;
    if (session) await dropClient(session);
  }

  private async take(): Promise<Lease> {
    const { relay, owner } = this.options;
    const canGoOn = (await this.pool.rows('relay_can_go_on', CAN_GO_ON, [relay])).length > 0;
    const [row] = await this.pool.rows('take_relay', TAKE, [relay, owner, canGoOn]);
    const [epoch, tx, position] = row!;
    this.renewedAt = performance.now();
    return (this.lease = { epoch: Number(epoch), cursor: { tx: tx!, position: position! } });
  }

  private async write(name: string, text: string, values: readonly unknown[]): Promise<void> {
    const written = await this.pool.rows(name, text, values);
    if (written.length === 0) throw new RelayFenced(this.options.relay, values[1] as number);
    this.renewedAt = performance.now();
  }

  private async open(): Promise<Client> {
    const client = await this.connect();
    const lost = (error?: Error): void => {
      if (this.session !== client) return;
      // The lock went with the session. What is under way ends at the cursor's epoch, if somebody took over.
      this.session = null;
      this.lease = null;
      this.hooks.onLost(error);
    };
    client.on('error', lost);
    client.on('end', () => lost());
    client.on('notification', this.hooks.onNotified);
    return client;
  }
}

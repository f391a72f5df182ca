import { setTimeout as pause } from 'node:timers/promises';
import { withClient } from '../access';
import type { Login } from '../access';

/** A chunk of bus events that is gone, and what proves what was in it. Times are epoch ms; `to` is exclusive. */
export interface LogDrop {
  id: number;
  from: number;
  to: number;
  events: number;
  /** Hex. */
  merkleRoot: string;
  droppedAt: number;
}

/** Batches of a shard's journal that are gone, and what proves what was in them. */
export interface JournalDrop {
  id: number;
  shard: string;
  /** Exclusive. */
  afterSeq: number;
  /** Inclusive. */
  toSeq: number;
  batches: number;
  /** Hex: SHA-256 over the SHA-256 of each batch in their order (see docs/store.md). */
  digest: string;
  /** Epoch ms. */
  droppedAt: number;
}

const COLUMNS = `id::integer, date_part('epoch', from_at) * 1000 AS "from", date_part('epoch', to_at) * 1000 AS "to",
  events::double precision, encode(merkle_root, 'hex') AS "merkleRoot",
  round(date_part('epoch', dropped_at) * 1000) AS "droppedAt"`;

const JOURNAL_COLUMNS = `id::integer, shard, after_seq::double precision AS "afterSeq", to_seq::double precision AS "toSeq",
  batches::double precision, encode(digest, 'hex') AS digest, round(date_part('epoch', dropped_at) * 1000) AS "droppedAt"`;
/** Batches that one transaction drops: the relay waits for transactions. */
const MOST_BATCHES = 1_000;
/** Between two of them, wall ms. */
const PAUSE_MS = 100;
const JOURNAL_TIMEOUT_MS = 60_000;

/**
 * Retention of bus events and of journals (rule 29). What may go, the owner's policy in the database says (365 days at first);
 * streams never go. Chunks on a connection without a time-out: the root of a large one takes a while.
 */
export class Retention {
  /** @param login the application's role */
  constructor(
    private readonly login: Login,
    private readonly database: string,
  ) {}

  /** Drops what has expired, a chunk a transaction, the oldest first. Returns what was dropped. */
  async dropExpired(): Promise<LogDrop[]> {
    return withClient(this.login, this.database, async (client) => {
      const drops: LogDrop[] = [];
      for (;;) {
        const { rows } = await client.query<LogDrop>(`SELECT ${COLUMNS} FROM drop_expired_events()`);
        if (rows.length === 0) return drops;
        drops.push(...rows);
      }
    });
  }

  /**
   * Drops what has expired of the shards' journals, a shard and a little at a time.
   *
   * @param onDrop told of each drop once it is committed
   * @param isWanted asked before each: false ends it
   */
  async dropExpiredJournal(
    onDrop: (drop: JournalDrop) => void,
    { isWanted = () => true, most = MOST_BATCHES }: { isWanted?: () => boolean; most?: number } = {},
  ): Promise<void> {
    await withClient(this.login, this.database, async (client) => {
      await client.query(`SET statement_timeout = ${JOURNAL_TIMEOUT_MS}`);
      while (isWanted()) {
        const text = `SELECT ${JOURNAL_COLUMNS} FROM drop_expired_journal($1)`;
        const { rows } = await client.query<JournalDrop>(text, [most]);
        if (rows.length === 0) return;
        rows.forEach(onDrop);
        await pause(PAUSE_MS);
      }
    });
  }

  /** All drops so far: a cause that lies in one of them is gone, not missing (rule 26). */
  async drops(): Promise<LogDrop[]> {
    return withClient(this.login, this.database, async (client) => {
      return (await client.query<LogDrop>(`SELECT ${COLUMNS} FROM log_drops ORDER BY id`)).rows;
    });
  }
}

import { setTimeout as pause } from 'node:timers/promises';
import type { Client } from 'pg';
import { withClient } from '../access';
import type { Login } from '../access';
import { dropClient } from '../ha/primary';

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
const MOST_REFERENCES = 5_000;
/** Of 1024 events each, that one transaction digests: some second's work. */
const MOST_NODES = 64;
/** Between two of them, wall ms. */
const PAUSE_MS = 100;
/** Who reads a month that goes is given so long, wall ms, so many times. After that it goes at the next look. */
const RETRY_MS = 5_000;
const DROP_TRIES = 12;
const LOCK_NOT_AVAILABLE = '55P03';
/** To count a large part takes a while; a server that is frozen is not waited for longer, wall ms. */
const LIMIT_MS = 600_000;

export interface DropOptions {
  /** Asked before each step: false ends it. */
  isWanted?: () => boolean;
  /** Of 1024 events each, that one step digests. */
  nodes?: number;
  /** References that one step deletes. */
  references?: number;
  /** Between two attempts at a part that somebody reads, wall ms. */
  retryMs?: number;
}

/**
 * Retention of bus events and of journals (rule 29). What may go, the owner's policy in the database says (365 days at first);
 * streams never go. All of it in steps that are short, or hold up nobody (ADR 0051).
 */
export class Retention {
  private readonly clients = new Set<Client>();

  /** @param login the application's role */
  constructor(
    private readonly login: Login,
    private readonly database: string,
  ) {}

  /**
   * Drops what has expired, a chunk a transaction, the oldest first; then, by and by, where its events stood on the broker. What
   * was begun before goes on where it was.
   *
   * @param onDrop told of each drop once it is committed
   * @throws Error of PostgreSQL (55P03) when others are at work on a chunk all the time
   */
  async dropExpired(onDrop: (drop: LogDrop) => void, options: DropOptions = {}): Promise<void> {
    const { isWanted = () => true, nodes = MOST_NODES } = options;
    await this.connected(async (client) => {
      await dropReferences(client, options);
      while (isWanted()) {
        const text = 'SELECT digest_expired_events($1) AS "isWhole"';
        const { isWhole } = (await client.query<{ isWhole: boolean | null }>(text, [nodes])).rows[0]!;
        if (isWhole === null) return;
        if (!isWhole) continue;
        const drops = await dropPart(client, options);
        drops.forEach(onDrop);
        if (drops.length > 0) await dropReferences(client, options);
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
    await this.connected(async (client) => {
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
    return this.connected(async (client) => {
      return (await client.query<LogDrop>(`SELECT ${COLUMNS} FROM log_drops ORDER BY id`)).rows;
    });
  }

  /** Lets go of what is under way, which ends with an error here; at the server it happens whole, or not at all. */
  async close(): Promise<void> {
    await Promise.all([...this.clients].map(dropClient));
  }

  private connected<T>(work: (client: Client) => Promise<T>): Promise<T> {
    const known = async (client: Client): Promise<T> => {
      this.clients.add(client);
      try {
        await client.query(`SET statement_timeout = ${LIMIT_MS}`);
        return await work(client);
      } finally {
        this.clients.delete(client);
      }
    };
    return withClient(this.login, this.database, known, LIMIT_MS);
  }
}

/** None when late events came into the part, or it is not wanted any more. */
async function dropPart(
  client: Client,
  { isWanted = () => true, retryMs = RETRY_MS }: DropOptions,
): Promise<LogDrop[]> {
  for (let tries = 1; isWanted(); tries += 1) {
    try {
      return (await client.query<LogDrop>(`SELECT ${COLUMNS} FROM drop_expired_events()`)).rows;
    } catch (error) {
      if ((error as { code?: unknown }).code !== LOCK_NOT_AVAILABLE || tries >= DROP_TRIES) throw error;
      await pause(retryMs);
    }
  }
  return [];
}

async function dropReferences(client: Client, options: DropOptions): Promise<void> {
  const { isWanted = () => true, references = MOST_REFERENCES } = options;
  const text = 'SELECT references_gone::integer AS gone, until::text FROM drop_expired_references($1, $2)';
  for (let from = '-infinity'; isWanted(); await pause(PAUSE_MS)) {
    const { rows } = await client.query<{ gone: number; until: string | null }>(text, [from, references]);
    const { gone, until } = rows[0]!;
    if (gone < references || until === null) return;
    from = until;
  }
}

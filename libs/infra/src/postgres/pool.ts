import { Pool } from 'pg';
import type { PoolClient, PoolConfig, QueryArrayResult } from 'pg';
import type { AnyEvent } from '@moon/events';
import type { Login } from './access';
import { PrimaryFinder } from './ha/primary';
import { answered } from './query-timeout';
import { CommitUnknown, isTransientStoreError } from './transient';

/** All values as the server's text: the store turns them into what it needs, once. */
const asText = { getTypeParser: () => (value: string) => value };

/** Of several servers, one may freeze: nothing but the caller's own patience ends a wait for it. */
const QUERY_MS = 2_000;
const CONNECT_MS = 2_000;
const FIND_PRIMARY_MS = 10_000;

export interface PoolOptions {
  /** Connections at most. */
  connections?: number;
  /** Told of errors on idle connections, e.g. when the server stops. */
  onError?: (error: Error) => void;
  /** With several hosts: how long a query may take, ms. Its outcome is unknown after that. Default: 2 s. */
  queryMs?: number;
  /** With several hosts: how long a primary is looked for before the caller is told, ms. Default: 10 s. */
  findPrimaryMs?: number;
}

/** Options of what stores events. */
export interface WritingOptions extends PoolOptions {
  /** The event at the version at which it is stored: see `EmittedVersions.wire`. */
  wire?: (event: AnyEvent) => AnyEvent;
}

export type TextRow = (string | null)[];

/**
 * Connections of one login to one database. With a list of hosts they go to the primary, wherever it is; what failed
 * there is not repeated here: the caller does, with the same ids.
 */
export class TextPool {
  private readonly pool: Pool;
  private readonly finder: PrimaryFinder | null;

  constructor(
    login: Login,
    database: string,
    private readonly options: PoolOptions = {},
  ) {
    this.finder = PrimaryFinder.of(login);
    const { host, port, user, password } = login;
    const settings: PoolConfig = {
      ...{ host, port, user, password, database },
      max: options.connections ?? 4,
      connectionTimeoutMillis: this.finder ? CONNECT_MS : 10_000,
      // Connections are kept; a timer for each use would cost more than the use.
      idleTimeoutMillis: 0,
      keepAlive: true,
      types: asText as never,
      ...(this.finder && {
        Client: this.finder.Client,
        verify: this.finder.verify,
        query_timeout: this.queryMs,
      }),
    };
    this.pool = new Pool(settings);
    // A broken idle connection is replaced at the next use, which reports what is wrong.
    this.pool.on('error', (error) => options.onError?.(error));
  }

  /**
   * One statement, prepared under its name on each connection.
   *
   * @param leastMs what it is given at least, where the pool's patience is shorter
   * @throws QueryTimeout where there are several hosts
   */
  async rows(name: string, text: string, values: readonly unknown[], leastMs = 0): Promise<TextRow[]> {
    const query = { name, text, values: [...values], rowMode: 'array' };
    if (!this.finder) return ((await this.pool.query(query)) as QueryArrayResult<TextRow>).rows;
    const ms = Math.max(this.queryMs, leastMs);
    const patient = { ...query, query_timeout: ms };
    const ask = async (client: PoolClient): Promise<TextRow[]> =>
      ((await client.query(patient)) as QueryArrayResult<TextRow>).rows;
    return this.lent(ask, { what: name, ms });
  }

  /** Works in one transaction; an error takes it back and is thrown on. */
  async transaction<T>(work: (client: PoolClient) => Promise<T>): Promise<T> {
    const attempt = async (client: PoolClient): Promise<T> => {
      await client.query('BEGIN');
      try {
        const result = await work(client);
        await client.query('COMMIT');
        return result;
      } catch (error) {
        // Where that fails, the connection is lost; the pool sees it by itself, and the first error says more.
        await client.query('ROLLBACK').catch(() => undefined);
        throw error;
      }
    };
    return this.lent(attempt, { what: 'a transaction', ms: this.queryMs });
  }

  end(): Promise<void> {
    return this.pool.end();
  }

  private async lent<T>(work: (client: PoolClient) => Promise<T>, asked: { what: string; ms: number }): Promise<T> {
    const client = await this.connect();
    const watch = new CommitWatch(client);
    let isBroken = true;
    try {
      const result = await answered(client, work(client), asked);
      watch.assertReplicated();
      isBroken = false;
      return result;
    } catch (error) {
      // What the server refused, it refused on a connection that is sound.
      isBroken = !isRefusal(error);
      throw error;
    } finally {
      watch.end();
      if (isBroken && this.finder) this.finder.moveOn(client);
      client.release(isBroken);
    }
  }

  private get queryMs(): number {
    return this.options.queryMs ?? QUERY_MS;
  }

  private async connect(): Promise<PoolClient> {
    const { finder } = this;
    if (!finder) return this.pool.connect();
    for (;;) {
      const client = await finder.retried(this.options.findPrimaryMs ?? FIND_PRIMARY_MS, () => this.pool.connect());
      if (!finder.isStale(client)) return client;
      // It stood idle through a failover: behind it may be a frozen server, or one that is no primary any more.
      client.release(true);
    }
  }
}

const isRefusal = (error: unknown): boolean =>
  (error as { severity?: unknown } | null)?.severity === 'ERROR' && !isTransientStoreError(error);

/**
 * A wait for the standby that is cancelled ends in success, with a warning: the commit is on one server only, and gone
 * when that one is. Such a success is none.
 */
class CommitWatch {
  private warning: string | null = null;
  private readonly note = ({ message }: { message?: string | undefined }): void => {
    if (message !== undefined && message.includes('synchronous replication')) this.warning = message;
  };

  constructor(private readonly client: PoolClient) {
    client.on('notice', this.note);
  }

  /** @throws CommitUnknown */
  assertReplicated(): void {
    if (this.warning !== null) throw new CommitUnknown(this.warning);
  }

  end(): void {
    this.client.off('notice', this.note);
  }
}

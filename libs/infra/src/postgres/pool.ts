import { Pool } from 'pg';
import type { PoolClient, QueryArrayResult } from 'pg';
import type { Login } from './access';

/** All values as the server's text: the store turns them into what it needs, once. */
const asText = { getTypeParser: () => (value: string) => value };

export interface PoolOptions {
  /** Connections at most. */
  connections?: number;
  /** Told of errors on idle connections, e.g. when the server stops. */
  onError?: (error: Error) => void;
}

export type TextRow = (string | null)[];

/** Connections of one login to one database. */
export class TextPool {
  private readonly pool: Pool;

  constructor(login: Login, database: string, options: PoolOptions = {}) {
    this.pool = new Pool({
      ...login,
      database,
      max: options.connections ?? 4,
      connectionTimeoutMillis: 10_000,
      // Connections are kept; a timer for each use would cost more than the use.
      idleTimeoutMillis: 0,
      keepAlive: true,
      types: asText as never,
    });
    // A broken idle connection is replaced at the next use, which reports what is wrong.
    this.pool.on('error', (error) => options.onError?.(error));
  }

  /** One statement, prepared under its name on each connection. */
  async rows(name: string, text: string, values: readonly unknown[]): Promise<TextRow[]> {
    const result: QueryArrayResult<TextRow> = await this.pool.query({
      name,
      text,
      values: [...values],
      rowMode: 'array',
    });
    return result.rows;
  }

  /** Works in one transaction; an error takes it back and is thrown on. */
  async transaction<T>(work: (client: PoolClient) => Promise<T>): Promise<T> {
    const client = await this.pool.connect();
    let broken: Error | undefined;
    try {
      await client.query('BEGIN');
      const result = await work(client);
      await client.query('COMMIT');
      return result;
    } catch (error) {
      await client.query('ROLLBACK').catch((failed: Error) => (broken = failed));
      throw error;
    } finally {
      client.release(broken);
    }
  }

  end(): Promise<void> {
    return this.pool.end();
  }
}

import { Client } from 'pg';
import type { Login } from '@moon/infra';
import type { StackAddresses } from '../../../scripts/stack/api.cjs';

/** As the settings have it by default. */
export const DATABASE = 'moon';
const QUERY_MS = 60_000;

/** Which server of the stack is primary, by what Patroni says; null while there is none. */
export async function primaryOf({ postgres }: StackAddresses): Promise<number | null> {
  if (!postgres) throw new Error('This stack has no PostgreSQL.');
  const answers = await Promise.all(
    postgres.patroni.map(async (url) => {
      try {
        return (await fetch(`${url}/primary`, { signal: AbortSignal.timeout(1_000) })).ok;
      } catch {
        return false;
      }
    }),
  );
  const index = answers.indexOf(true);
  return index < 0 ? null : index;
}

/** The superuser at a server of the stack. */
export function loginAt({ postgres }: StackAddresses, index: number): Login {
  const host = postgres?.hosts[index];
  if (!postgres || !host) throw new Error(`There is no PostgreSQL server ${index}.`);
  return { ...host, user: postgres.superuser, password: postgres.password };
}

/** One connection to whichever server is primary, opened again when it breaks. */
export class PrimaryClient {
  private client: Client | null = null;

  constructor(
    private readonly addresses: StackAddresses,
    private readonly options: { queryMs?: number } = {},
  ) {}

  /** Rows of one statement; null while no primary answers. */
  async rows<T>(sql: string, values: readonly unknown[] = []): Promise<T[] | null> {
    try {
      const client = await this.connected();
      return client === null ? null : ((await client.query(sql, [...values])).rows as T[]);
    } catch (error) {
      const broken = this.client;
      this.client = null;
      void broken?.end().catch(() => undefined);
      if (isMistake(error)) throw error;
      return null;
    }
  }

  async close(): Promise<void> {
    await this.client?.end();
    this.client = null;
  }

  private async connected(): Promise<Client | null> {
    if (this.client) return this.client;
    const index = await primaryOf(this.addresses);
    if (index === null) return null;
    const client = new Client({
      ...loginAt(this.addresses, index),
      database: DATABASE,
      connectionTimeoutMillis: 2_000,
      query_timeout: this.options.queryMs ?? QUERY_MS,
    });
    client.on('error', () => {
      if (this.client === client) this.client = null;
    });
    await client.connect();
    this.client = client;
    return client;
  }
}

/** A wrong statement is no outage. */
const isMistake = (error: unknown): boolean => String((error as { code?: unknown }).code ?? '').startsWith('42');

import type { ClientBase } from 'pg';

/**
 * A server that did not answer in time. What was asked may have been done: the same again, with the same ids, makes it certain.
 */
export class QueryTimeout extends Error {
  override readonly name = 'QueryTimeout';
}

/** What pg says; it names neither what was asked nor who. */
const PG_MESSAGE = 'Query read timeout';

/**
 * The answer of a server that is waited for with patience.
 *
 * @throws QueryTimeout that says what, where and what to do
 */
export async function answered<T>(
  client: ClientBase,
  answer: Promise<T>,
  { what, ms }: { what: string; ms: number },
): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    if (!(error instanceof Error) || error.message !== PG_MESSAGE) throw error;
    const { host, port, database } = client as ClientBase & { host: string; port: number; database: string };
    throw new QueryTimeout(
      `PostgreSQL at ${host}:${port}, database ${database}, did not answer ${what} within ${ms / 1_000} s (timeout): it is frozen or ` +
        'overloaded, or the question goes over too much. See what it is busy with (pg_stat_activity), ask again, or ask for less.',
      { cause: error },
    );
  }
}

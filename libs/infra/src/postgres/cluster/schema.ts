import type { Client } from 'pg';
import { withClient } from '../access';
import type { Login } from '../access';
import { migrationNames } from '../data-source';

/** How the schema of a cluster's database stands to the one that this version knows. */
export interface ClusterSchema {
  /** Migrations that it lacks, the oldest first: it is older, or not there at all. */
  missing: string[];
  /** Migrations that this version does not know: a newer one has prepared it. */
  newer: string[];
}

/** The migration that lets the application see the table of migrations. */
const VISIBLE_SINCE = 'AppSeesSchema1700000000205';
/** A start waits for it, wall ms. */
const ANSWER_MS = 10_000;
const NO_TABLE = '42P01';
const NO_RIGHT = '42501';

/**
 * Looks at the schema of a cluster's database; changes nothing.
 *
 * @param login the application's role is enough
 * @throws QueryTimeout, Error of PostgreSQL: no server, no such database, a wrong password
 */
export async function clusterSchemaOf(login: Login, database: string): Promise<ClusterSchema> {
  const known = migrationNames('cluster');
  try {
    const ask = async (client: Client): Promise<string[]> => {
      const { rows } = await client.query<{ name: string }>('SELECT name FROM schema_migrations ORDER BY id');
      return rows.map(({ name }) => name);
    };
    const ran = await withClient(login, database, ask, ANSWER_MS);
    return {
      missing: known.filter((name) => !ran.includes(name)),
      newer: ran.filter((name) => !known.includes(name)),
    };
  } catch (error) {
    const { code } = error as { code?: string };
    if (code === NO_TABLE) return { missing: known, newer: [] };
    // What came before cannot be told apart from here; that this one is missing is certain.
    if (code === NO_RIGHT) return { missing: known.slice(known.indexOf(VISIBLE_SINCE)), newer: [] };
    throw error;
  }
}

import { escapeIdentifier, escapeLiteral, type Client } from 'pg';
import { APP_ROLE, asRole, createRole, OWNER_ROLE, withClient } from './access';
import type { Login, RolePasswords } from './access';
import { clusterSchemaOf } from './cluster/schema';
import { createDatabase, migrate } from './data-source';

/** What became of a role: made; there with this password; there with another one, which was replaced. */
export type RoleOutcome = 'made' | 'kept' | 'password set';

/** What preparing a store did. */
export interface PreparedStore {
  database: string;
  databaseOutcome: 'made' | 'kept';
  /** Null where the owner prepared it: it sees to no roles. */
  roles: { owner: RoleOutcome; app: RoleOutcome } | null;
  /** Names of the migrations that ran. */
  migrations: string[];
}

/** Where TimescaleDB is there and preloaded: the extension is the superuser's, the tables are the owner's. */
const EXTENSION = `
DO $do$
BEGIN
  IF EXISTS (SELECT FROM pg_available_extensions WHERE name = 'timescaledb')
      AND current_setting('shared_preload_libraries') LIKE '%timescaledb%' THEN
    CREATE EXTENSION IF NOT EXISTS timescaledb;
  END IF;
END
$do$`;

/** PostgreSQL gives the same answer to a wrong password and to a role that it does not have. */
const isRefusedLogin = (error: unknown): boolean => /^28/.test((error as { code?: string }).code ?? '');

/**
 * Makes all that a deployment's processes need and may not make by themselves: both roles, the database of the owner's,
 * and the newest schema. A second time changes nothing. A role with another password is given this one.
 *
 * @throws Error that says what is in the way; Error of PostgreSQL
 */
export async function prepareStore(
  superuser: Login,
  passwords: RolePasswords,
  database: string,
): Promise<PreparedStore> {
  const owner = asRole(superuser, OWNER_ROLE, passwords.owner);
  const app = asRole(superuser, APP_ROLE, passwords.app);
  const { roles, isMade } = await withClient(superuser, 'postgres', async (client) => {
    const roles = { owner: await ensureRole(client, owner), app: await ensureRole(client, app) };
    const isMade = await createDatabase(client, database, OWNER_ROLE);
    if (!isMade) await assertOwned(client, database);
    return { roles, isMade };
  });
  await withClient(superuser, database, (client) => client.query(EXTENSION));
  const migrations = await migrate(owner, database, 'cluster');
  await assertUsable(app, database);
  return { database, databaseOutcome: isMade ? 'made' : 'kept', roles, migrations };
}

/**
 * Brings the database of a store that was prepared before to the newest schema, with the owner's login alone.
 *
 * @throws Error of PostgreSQL: the role or the database is not there, or the password is wrong
 */
export async function upgradeStore(owner: Login, database: string): Promise<PreparedStore> {
  const migrations = await migrate(owner, database, 'cluster');
  return { database, databaseOutcome: 'kept', roles: null, migrations };
}

async function ensureRole(client: Client, login: Login): Promise<RoleOutcome> {
  if (await createRole(client, login)) return 'made';
  try {
    await withClient(login, 'postgres', (own) => own.query('SELECT 1'));
    return 'kept';
  } catch (error) {
    if (!isRefusedLogin(error)) throw error;
  }
  await client.query(`ALTER ROLE ${escapeIdentifier(login.user)} LOGIN PASSWORD ${escapeLiteral(login.password)}`);
  return 'password set';
}

/** @throws Error: a database of somebody else's */
async function assertOwned(client: Client, database: string): Promise<void> {
  const { rows } = await client.query<{ owner: string }>(
    'SELECT pg_get_userbyid(datdba) AS owner FROM pg_database WHERE datname = $1',
    [database],
  );
  const owner = rows[0]?.owner;
  if (owner === OWNER_ROLE) return;
  throw new Error(
    `Database ${database} belongs to ${owner ?? 'nobody'}: name another one (postgres.database), or give it away with "ALTER DATABASE ${database} OWNER TO ${OWNER_ROLE}".`,
  );
}

/** @throws Error: the schema is there, and the application's role lacks the rights that came with it */
async function assertUsable(app: Login, database: string): Promise<void> {
  const { missing } = await clusterSchemaOf(app, database);
  if (missing.length === 0) return;
  throw new Error(
    `The schema of database ${database} is the newest one, but ${APP_ROLE} may not read it: the role was made anew after the schema was. Restore the database from its backup now that both roles are there.`,
  );
}

import { createHmac } from 'node:crypto';
import { Client, escapeIdentifier, escapeLiteral } from 'pg';

/** A login at a PostgreSQL server. */
export interface Login {
  host: string;
  port: number;
  user: string;
  password: string;
}

/**
 * The two roles of the store: the owner makes and changes tables and never serves the application; the application
 * reads and appends.
 */
export interface PostgresAccess {
  owner: Login;
  app: Login;
}

export const OWNER_ROLE = 'moon_owner';
export const APP_ROLE = 'moon_app';

/** Works as one login in one database, on a connection of its own. */
export async function withClient<T>(login: Login, database: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ ...login, database, connectionTimeoutMillis: 10_000 });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/**
 * Makes both roles on a server that is all ours (the embedded one), with passwords derived from the superuser's: no
 * further secret has to be kept.
 */
export async function createRoles(superuser: Login): Promise<PostgresAccess> {
  const loginOf = (role: string): Login => {
    const password = createHmac('sha256', superuser.password).update(role).digest('base64url');
    return { host: superuser.host, port: superuser.port, user: role, password };
  };
  const access = { owner: loginOf(OWNER_ROLE), app: loginOf(APP_ROLE) };
  await withClient(superuser, 'postgres', async (client) => {
    for (const { user, password } of [access.owner, access.app]) {
      const { rows } = await client.query('SELECT FROM pg_roles WHERE rolname = $1', [user]);
      if (rows.length > 0) continue;
      const rights = user === OWNER_ROLE ? 'CREATEDB' : 'NOCREATEDB';
      await client.query(`CREATE ROLE ${escapeIdentifier(user)} LOGIN ${rights} PASSWORD ${escapeLiteral(password)}`);
    }
  });
  return access;
}

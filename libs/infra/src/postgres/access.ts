import { createHmac } from 'node:crypto';
import { Client, escapeIdentifier, escapeLiteral } from 'pg';
import type { ClientConfig } from 'pg';
import { PrimaryFinder } from './ha/primary';
import type { HostAndPort, Login } from './login';

export type { HostAndPort, Login };

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

const CONNECT_MS = 10_000;

/** A connection of its own, to the primary where there are several servers. */
export async function connect(login: Login, database: string, more: ClientConfig = {}): Promise<Client> {
  const { host, port, user, password } = login;
  const settings = { host, port, user, password, database, keepAlive: true, ...more };
  const finder = PrimaryFinder.of(login);
  if (finder) return finder.connect(settings, CONNECT_MS);
  const client = new Client({ ...settings, connectionTimeoutMillis: CONNECT_MS });
  await client.connect();
  return client;
}

/** Works as one login in one database, on a connection of its own. */
export async function withClient<T>(login: Login, database: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = await connect(login, database);
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
    return { ...superuser, user: role, password };
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

import { createHmac } from 'node:crypto';
import { Client, escapeIdentifier, escapeLiteral } from 'pg';
import type { ClientConfig } from 'pg';
import { dropClient, PrimaryFinder } from './ha/primary';
import type { HostAndPort, Login } from './login';
import { answered } from './query-timeout';

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
  // One that breaks while it is idle says so to whoever uses it next, and ends no process.
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

/**
 * Works as one login in one database, on a connection of its own.
 *
 * @param queryMs how long each question may take, ms; without, a server that froze is waited for as long as it is frozen
 * @throws QueryTimeout
 */
export async function withClient<T>(
  login: Login,
  database: string,
  work: (client: Client) => Promise<T>,
  queryMs?: number,
): Promise<T> {
  const client = await connect(login, database, queryMs === undefined ? {} : { query_timeout: queryMs });
  try {
    if (queryMs === undefined) return await work(client);
    return await answered(client, work(client), { what: 'a question', ms: queryMs });
  } finally {
    await dropClient(client);
  }
}

/** Passwords of the store's roles. */
export interface RolePasswords {
  owner: string;
  app: string;
}

/** What the roles' passwords are where nobody chose any: derived from the superuser's, so that no further secret is kept. */
export function derivedPasswords(superuserPassword: string): RolePasswords {
  const derived = (role: string): string => createHmac('sha256', superuserPassword).update(role).digest('base64url');
  return { owner: derived(OWNER_ROLE), app: derived(APP_ROLE) };
}

/** The same servers, as another role. */
export const asRole = (login: Login, user: string, password: string): Login => ({ ...login, user, password });

/**
 * Makes both roles where they are not there yet. One that is there keeps its password: see `prepareStore`.
 *
 * @param passwords of the roles; without, they are derived from the superuser's
 */
export async function createRoles(
  superuser: Login,
  passwords: RolePasswords = derivedPasswords(superuser.password),
): Promise<PostgresAccess> {
  const access = {
    owner: asRole(superuser, OWNER_ROLE, passwords.owner),
    app: asRole(superuser, APP_ROLE, passwords.app),
  };
  await withClient(superuser, 'postgres', async (client) => {
    for (const login of [access.owner, access.app]) await createRole(client, login);
  });
  return access;
}

/** Makes one of the roles. @returns false when it is there already, with whatever password */
export async function createRole(client: Client, { user, password }: Login): Promise<boolean> {
  const { rows } = await client.query('SELECT FROM pg_roles WHERE rolname = $1', [user]);
  if (rows.length > 0) return false;
  const rights = user === OWNER_ROLE ? 'CREATEDB' : 'NOCREATEDB';
  await client.query(`CREATE ROLE ${escapeIdentifier(user)} LOGIN ${rights} PASSWORD ${escapeLiteral(password)}`);
  return true;
}

import {
  APP_ROLE,
  clusterSchemaOf,
  ConfigError,
  createRoles,
  derivedPasswords,
  migrateUp,
  OWNER_ROLE,
  type HostAndPort,
  type Login,
  type PostgresAccess,
  type RolePasswords,
} from '@moon/infra';
import type { ClusterConfig } from './config';

/** What a process works at the store with. It never needs the owner; who has the superuser's password has that login, too. */
export type StoreAccess = Pick<PostgresAccess, 'app'> & Partial<Pick<PostgresAccess, 'owner'>>;

type PostgresSettings = Pick<ClusterConfig, 'postgres'>;

const NO_DATABASE = '3D000';
const REFUSED_LOGIN = /^28/;
const NOBODY = /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ETIMEDOUT)$/;
const PREPARE = '"moon store prepare"';

/**
 * Passwords that contradict each other.
 *
 * @param isPreparing whether they are for "moon store prepare", which may have the owner's alone
 * @throws ConfigError that names what is wrong
 */
export function checkPasswords({ postgres }: PostgresSettings, isPreparing = false): void {
  const { password, ownerPassword, appPassword } = postgres;
  const problems: string[] = [];
  if (ownerPassword !== undefined && appPassword === undefined && !(isPreparing && password === ''))
    problems.push(
      isPreparing
        ? '"postgres.ownerPassword" is given without "postgres.appPassword": give both, or neither.'
        : '"postgres.ownerPassword" is given without "postgres.appPassword": a process works with the application’s, the owner’s is for "moon store prepare".',
    );
  if (isPreparing && password === '' && ownerPassword === undefined)
    problems.push(
      'Neither "postgres.password" (the superuser’s, which makes roles and database) nor "postgres.ownerPassword" (for the schema alone) is given.',
    );
  const given = [password, ownerPassword, appPassword].filter((one) => one !== undefined && one !== '');
  if (new Set(given).size < given.length)
    problems.push(
      '"postgres.password", "postgres.ownerPassword" and "postgres.appPassword" must differ: who has one would have the others.',
    );
  if (problems.length > 0) throw new ConfigError(problems);
}

/** The servers of the event store, as one of its logins. */
export function loginOf({ postgres }: PostgresSettings, user: string, password: string): Login {
  const { patroni } = postgres;
  const hosts = postgres.hosts.map(hostAndPort);
  const [first = { host: '127.0.0.1', port: 5_432 }] = hosts;
  const several = hosts.length > 1 ? { hosts, ...(patroni.length > 0 && { patroni }) } : {};
  return { ...first, ...several, user, password };
}

/** What the roles' passwords are: those given, derived ones for the others. */
export function passwordsOf({ postgres }: PostgresSettings): RolePasswords {
  const { password, ownerPassword, appPassword } = postgres;
  const { owner, app } = derivedPasswords(password);
  return { owner: ownerPassword ?? owner, app: appPassword ?? app };
}

/** The password of the application's role: what its processes need of all that "moon store prepare" was given. */
export const appPasswordOf = (config: PostgresSettings): string => passwordsOf(config).app;

/**
 * Logins of the event store, at whichever server is primary. With the superuser's password the roles are made when they are
 * not there; with the application's alone nobody is asked yet.
 *
 * @throws Error of PostgreSQL
 */
export async function accessOf(config: PostgresSettings): Promise<StoreAccess> {
  const { superuser, password, appPassword } = config.postgres;
  if (appPassword !== undefined && password === '') return { app: loginOf(config, APP_ROLE, appPassword) };
  return createRoles(loginOf(config, superuser, password), passwordsOf(config));
}

/**
 * The store, with the schema that this version needs: brought to it where the settings have the superuser's password,
 * looked at where they have the application's alone.
 *
 * @returns the migrations that only a newer version knows, too: such a schema serves this one as well
 * @throws Error that says in one line what is missing, and what to do
 */
export async function readyStore(config: PostgresSettings): Promise<{ access: StoreAccess; newer: string[] }> {
  const { database } = config.postgres;
  try {
    const access = await accessOf(config);
    const { owner, app } = access;
    if (owner) await migrateUp({ owner, app }, database, 'cluster');
    const { missing, newer } = await clusterSchemaOf(app, database);
    if (missing.length > 0) throw new SchemaTooOld(config, missing);
    return { access, newer };
  } catch (error) {
    throw explained(error, config);
  }
}

/** The schema lacks what this version needs, and the process may not bring it there. */
class SchemaTooOld extends Error {
  override readonly name = 'SchemaTooOld';
  constructor({ postgres: { database } }: PostgresSettings, missing: readonly string[]) {
    super(
      `The schema of database ${database} is older than this version needs (it lacks ${missing.join(', ')}): run ${PREPARE} of this version, then start its processes.`,
    );
  }
}

/** What to do about a server that does not answer, a login that was refused, a database that is not there; any other error as it is. */
export function explained(error: unknown, config: PostgresSettings): unknown {
  const { database, hosts } = config.postgres;
  const { code = '', message = '' } = error as { code?: string; message?: string };
  const where = hosts.join(', ');
  if (code === NO_DATABASE)
    return new Error(
      `Database ${database} at ${where} is not there: run ${PREPARE}, or name another one (postgres.database).`,
      { cause: error },
    );
  if (NOBODY.test(code))
    return new Error(
      `No PostgreSQL answers at ${where} (${code}): check postgres.hosts (MOON_POSTGRES__HOSTS) and that the servers run.`,
      { cause: error },
    );
  if (!REFUSED_LOGIN.test(code)) return error;
  const role = /(?:user|role) "([^"]+)"/.exec(message)?.[1] ?? 'the login';
  return new Error(`PostgreSQL at ${where} refuses ${role}: ${remedyOf(role, config)}`, { cause: error });
}

/** The server does not say whether it is the password or the role that is not there. */
function remedyOf(role: string, config: PostgresSettings): string {
  const setting = { [APP_ROLE]: 'postgres.appPassword', [OWNER_ROLE]: 'postgres.ownerPassword' }[role];
  if (setting === undefined) return 'correct postgres.superuser and postgres.password.';
  if (config.postgres.password === '')
    return `the store was not prepared yet, or ${setting} is not what it was prepared with. Correct it, or run ${PREPARE} with the superuser’s password.`;
  return `the role has another password than these settings say. Give ${setting}, or run ${PREPARE}, which sets it.`;
}

function hostAndPort(text: string): HostAndPort {
  const separator = text.lastIndexOf(':');
  return { host: text.slice(0, separator), port: Number(text.slice(separator + 1)) };
}

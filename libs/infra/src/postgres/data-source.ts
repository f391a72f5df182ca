import 'reflect-metadata';
import { escapeIdentifier, type Client } from 'pg';
import { DataSource, MigrationExecutor } from 'typeorm';
import { withClient } from './access';
import type { Login, PostgresAccess } from './access';
import { EventLog1700000000001 } from './migrations/1700000000001-event-log';
import { LogFunctions1700000000002 } from './migrations/1700000000002-log-functions';
import { RunState1700000000003 } from './migrations/1700000000003-run-state';
import { PrimaryFinder } from './ha/primary';
import { ClusterLog1700000000201 } from './migrations/1700000000201-cluster-log';
import { Retention1700000000202 } from './migrations/1700000000202-retention';
import { GroupAppends1700000000203 } from './migrations/1700000000203-group-appends';
import { ShardIds1700000000204 } from './migrations/1700000000204-shard-ids';
import { AppSeesSchema1700000000205 } from './migrations/1700000000205-app-sees-schema';
import { JournalRetention1700000000206 } from './migrations/1700000000206-journal-retention';
import { RetentionInPieces1700000000207 } from './migrations/1700000000207-retention-in-pieces';
import { RunRegistry1700000000101 } from './migrations/1700000000101-run-registry';
import { ImportedRuns1700000000102 } from './migrations/1700000000102-imported-runs';
import { Reports1700000000103 } from './migrations/1700000000103-reports';
import { Jobs1700000000104 } from './migrations/1700000000104-jobs';

/** What a database is for: the log of one run, the registry of all runs, or the log of a deployment of many processes. */
export type DatabaseKind = 'run' | 'registry' | 'cluster';

const RUN = [EventLog1700000000001, LogFunctions1700000000002, RunState1700000000003] as const;

const MIGRATIONS = {
  run: RUN,
  registry: [RunRegistry1700000000101, ImportedRuns1700000000102, Reports1700000000103, Jobs1700000000104],
  cluster: [
    ...RUN,
    ClusterLog1700000000201,
    Retention1700000000202,
    GroupAppends1700000000203,
    ShardIds1700000000204,
    AppSeesSchema1700000000205,
    JournalRetention1700000000206,
    RetentionInPieces1700000000207,
  ],
} as const;

export function createDataSource(login: Login, database: string, kind: DatabaseKind): DataSource {
  const finder = PrimaryFinder.of(login);
  return new DataSource({
    type: 'postgres',
    host: login.host,
    port: login.port,
    username: login.user,
    password: login.password,
    database,
    migrations: [...MIGRATIONS[kind]],
    migrationsTableName: 'schema_migrations',
    // All of them or none.
    migrationsTransactionMode: 'all',
    logging: false,
    ...(finder && { extra: { Client: finder.Client, verify: finder.verify } }),
  });
}

/** Makes a database of the owner's. @returns false when it is there already */
export async function createDatabase(client: Client, database: string, owner: string): Promise<boolean> {
  const { rows } = await client.query('SELECT FROM pg_database WHERE datname = $1', [database]);
  if (rows.length > 0) return false;
  await client.query(`CREATE DATABASE ${escapeIdentifier(database)} OWNER ${escapeIdentifier(owner)}`);
  return true;
}

/** Brings a database to the newest schema, making it first when it is not there. Returns how many migrations ran. */
export async function migrateUp(access: PostgresAccess, database: string, kind: DatabaseKind): Promise<number> {
  const { owner } = access;
  await withClient(owner, 'postgres', (client) => createDatabase(client, database, owner.user));
  return (await migrate(owner, database, kind)).length;
}

/** Brings a database that is there to the newest schema. @returns the names of the migrations that ran */
export async function migrate(owner: Login, database: string, kind: DatabaseKind): Promise<string[]> {
  const source = await createDataSource(owner, database, kind).initialize();
  try {
    return (await source.runMigrations()).map(({ name }) => name);
  } finally {
    await source.destroy();
  }
}

/** Names of the migrations that this version knows, the oldest first. */
export const migrationNames = (kind: DatabaseKind): string[] => MIGRATIONS[kind].map(({ name }) => name);

/** Names of the migrations that a database still lacks; changes nothing but typeorm's own table of migrations. */
export async function pendingMigrations(
  access: PostgresAccess,
  database: string,
  kind: DatabaseKind,
): Promise<string[]> {
  const source = await createDataSource(access.owner, database, kind).initialize();
  try {
    return (await new MigrationExecutor(source).getPendingMigrations()).map(({ name }) => name);
  } finally {
    await source.destroy();
  }
}

/** Takes the newest `steps` migrations back, with all that they hold. */
export async function migrateDown(
  access: PostgresAccess,
  database: string,
  kind: DatabaseKind,
  steps: number,
): Promise<void> {
  const source = await createDataSource(access.owner, database, kind).initialize();
  try {
    for (let step = 0; step < steps; step += 1) await source.undoLastMigration();
  } finally {
    await source.destroy();
  }
}

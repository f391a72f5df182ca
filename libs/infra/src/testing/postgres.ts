import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { escapeIdentifier } from 'pg';
import { startEmbeddedPostgres } from '../embedded/server';
import type { EmbeddedServer } from '../embedded/server';
import { createRoles, withClient } from '../postgres/access';
import type { PostgresAccess } from '../postgres/access';
import { migrateUp } from '../postgres/data-source';

export { withClient };

/** A real server for one spec file, in a folder of its own. */
export interface TestServer {
  server: EmbeddedServer;
  access: PostgresAccess;
  dataDir: string;
  /** A new database with the newest schema of a run; returns its name. */
  runDatabase(): Promise<string>;
  /** The same, of a cluster's log. */
  clusterDatabase(): Promise<string>;
  stop(): Promise<void>;
}

const TEMPLATE = 'moon_test_template';
const CLUSTER_TEMPLATE = 'moon_test_cluster';

export async function startTestServer(): Promise<TestServer> {
  const dataDir = mkdtempSync(join(tmpdir(), 'moon-postgres-'));
  const server = await startEmbeddedPostgres({ dataDir, settings: { fsync: 'off' } });
  const access = await createRoles(server);
  await migrateUp(access, TEMPLATE, 'run');
  let count = 0;
  const copyOf = async (template: string): Promise<string> => {
    count += 1;
    const name = `moon_test_${count}`;
    await withClient(access.owner, 'postgres', (client) =>
      client.query(`CREATE DATABASE ${escapeIdentifier(name)} TEMPLATE ${escapeIdentifier(template)}`),
    );
    return name;
  };
  let clusterTemplate: Promise<unknown> | null = null;
  return {
    server,
    access,
    dataDir,
    runDatabase: () => copyOf(TEMPLATE),
    clusterDatabase: async () => {
      // Made when it is first asked for: most specs need none.
      await (clusterTemplate ??= migrateUp(access, CLUSTER_TEMPLATE, 'cluster'));
      return copyOf(CLUSTER_TEMPLATE);
    },
    stop: async () => {
      await server.stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

import { ClusterLog, EventArchive, ShardJournals, StoreInspection } from '@moon/infra';
import type { ClusterConfig } from './config';
import { accessOf, explained, type StoreAccess } from './store-access';

/** A deployment's store, open for looking into it: nothing is migrated, claimed or written. */
export interface ClusterReader {
  access: StoreAccess;
  database: string;
  log: ClusterLog;
  journals: ShardJournals;
  archive: EventArchive;
  inspection: StoreInspection;
  close(): Promise<void>;
}

/** People's questions may go over a whole log, wall ms. */
const QUERY_MS = 120_000;
const NO_DATABASE = '3D000';
const NO_TABLE = '42P01';

/** @throws Error that names the server and what to do */
export async function openClusterReader(config: ClusterConfig): Promise<ClusterReader> {
  const { database, hosts } = config.postgres;
  const where = hosts.join(', ');
  const access = await accessOf(config).catch((error: unknown) => {
    const problem = explained(error, config);
    if (problem !== error) throw problem;
    throw new Error(`No event store answers at ${where}: ${messageOf(error)}`, { cause: error });
  });
  // A connection that breaks while it is idle is replaced; one that is in use tells whoever uses it.
  const options = { queryMs: QUERY_MS, onError: () => undefined };
  const log = new ClusterLog(access.app, database, options);
  const journals = new ShardJournals(access.app, database, options);
  const archive = new EventArchive(access.app, database, options);
  const inspection = new StoreInspection(access.app, database, options);
  const close = async (): Promise<void> => {
    await Promise.all([log.close(), journals.close(), archive.close(), inspection.close()]);
  };
  try {
    await log.shards();
  } catch (error) {
    await close();
    const { code } = error as { code?: string };
    if (code !== NO_DATABASE && code !== NO_TABLE) throw explained(error, config);
    throw new Error(
      `Database ${database} at ${where} holds no deployment yet: start its processes ("npm run start:distributed"), or name another one (postgres.database).`,
      { cause: error },
    );
  }
  return { access, database, log, journals, archive, inspection, close };
}

function messageOf(error: unknown): string {
  return error instanceof Error && error.message !== ''
    ? error.message
    : String((error as { code?: string }).code ?? error);
}

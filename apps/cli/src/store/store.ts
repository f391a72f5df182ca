import {
  createRoles,
  dataDirHolder,
  DataDirInUse,
  findEmbeddedPostgres,
  hasEmbeddedStore,
  lockDataDir,
  RunRegistry,
  startEmbeddedPostgres,
  type DataDirLock,
  type EmbeddedServer,
  type PostgresAccess,
  type ServerAddress,
} from '@moon/infra';
import { CommandFailed } from '../errors';
import type { GlobalOptions, Io } from '../io';
import { span } from '../output/text';
import { dataDirOf } from './data-dir';

/** The event store of a data directory, open for one command. */
export interface Store {
  dataDir: string;
  access: PostgresAccess;
  registry: RunRegistry;
  /** Process id of the running platform; null when this command has the store to itself. */
  platformPid: number | null;
}

export interface StoreRequest {
  global: GlobalOptions;
  /** What works on the store, for others who find it in use: `moon events`. */
  command: string;
  /** Make the store when there is none. */
  create?: boolean;
}

/** How long a platform may take to start its database. */
const START_TIMEOUT_MS = 30_000;
const POLL_MS = 100;

/**
 * Works on the event store. Beside a running platform it uses the platform's server, which it neither starts nor stops;
 * otherwise it locks the data directory, starts the server, and stops it at the end.
 */
export async function withStore<T>(io: Io, request: StoreRequest, work: (store: Store) => Promise<T>): Promise<T> {
  const dataDir = dataDirOf(io, request.global.dataDir);
  if (!request.create && !hasEmbeddedStore(dataDir)) {
    throw new CommandFailed(
      `There are no data in ${dataDir}: start the platform with "npm start", bring files in with "moon import FILE", ` +
        'or name another folder with --data-dir.',
    );
  }
  const place = await takePlace(io, dataDir, request.command);
  return 'lock' in place ? withOwnServer(dataDir, place.lock, work) : withServerOf(place, dataDir, work);
}

type Place = { lock: DataDirLock } | { address: ServerAddress; platformPid: number };

/** Waits for a place at the store: beside the platform, or, when none runs, alone. */
async function takePlace(io: Io, dataDir: string, command: string): Promise<Place> {
  const startedAt = performance.now();
  let told: number | null = null;
  for (;;) {
    const holder = dataDirHolder(dataDir);
    if (!holder) {
      const lock = tryLock(dataDir, command);
      if (lock) return { lock };
    } else if (holder.isPlatform) {
      const address = await findEmbeddedPostgres(dataDir);
      if (address) return { address, platformPid: holder.pid };
      if (performance.now() - startedAt > START_TIMEOUT_MS) {
        throw new CommandFailed(
          `The platform (process ${holder.pid}) holds ${dataDir}, but its database did not answer within ${span(START_TIMEOUT_MS)}. ` +
            'Look at its output, or stop it and try again.',
        );
      }
    } else if (told !== holder.pid) {
      told = holder.pid;
      io.err(`Waiting for ${holder.program} (process ${holder.pid}) to finish …`);
    }
    await pause(POLL_MS);
    if (io.signal.aborted) throw new CommandFailed('Interrupted while waiting for the data directory.');
  }
}

function tryLock(dataDir: string, command: string): DataDirLock | null {
  try {
    return lockDataDir(dataDir, command);
  } catch (error) {
    if (error instanceof DataDirInUse) return null;
    throw error;
  }
}

async function withOwnServer<T>(dataDir: string, lock: DataDirLock, work: (store: Store) => Promise<T>): Promise<T> {
  let server: EmbeddedServer | null = null;
  try {
    server = await startEmbeddedPostgres({ dataDir });
    return await connected(server, { dataDir, platformPid: null }, work);
  } finally {
    await server?.stop();
    lock.release();
  }
}

function withServerOf<T>(
  { address, platformPid }: { address: ServerAddress; platformPid: number },
  dataDir: string,
  work: (store: Store) => Promise<T>,
): Promise<T> {
  return connected(address, { dataDir, platformPid }, work);
}

async function connected<T>(
  address: ServerAddress,
  place: Pick<Store, 'dataDir' | 'platformPid'>,
  work: (store: Store) => Promise<T>,
): Promise<T> {
  const access = await createRoles(address);
  const registry = await RunRegistry.open(access);
  try {
    return await work({ ...place, access, registry });
  } finally {
    await registry.close();
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

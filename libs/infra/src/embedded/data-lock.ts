import { existsSync, linkSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { processStartedAt } from './process-info';

/** What a lock's holder is unless it says otherwise. */
const PLATFORM = 'platform';

/** Another instance of the platform works on the data directory. */
export class DataDirInUse extends Error {
  override readonly name = 'DataDirInUse';
  constructor(
    readonly dataDir: string,
    readonly pid: number,
    /** What that process is, e.g. `moon import`. */
    readonly program = PLATFORM,
  ) {
    super(
      `The data directory ${dataDir} is in use by another instance (${program === PLATFORM ? '' : `${program}, `}process ${pid}). ` +
        'Stop that one first, or give this one a directory of its own with --data-dir.',
    );
  }
}

/** The data directory is none, or cannot be written to. */
export class DataDirUnusable extends Error {
  override readonly name = 'DataDirUnusable';
  constructor(
    readonly dataDir: string,
    override readonly cause: NodeJS.ErrnoException,
  ) {
    const reasons: Record<string, string> = {
      EEXIST: 'a file is in its place',
      ENOTDIR: 'a part of the path is a file',
      EACCES: 'this user may not write there',
      EPERM: 'this user may not write there',
      EROFS: 'the disk is read-only',
      ENOSPC: 'the disk is full',
    };
    super(
      `The data directory ${dataDir} cannot be used: ${reasons[cause.code ?? ''] ?? cause.message}. Name another one with --data-dir.`,
    );
  }
}

export interface DataDirLock {
  release(): void;
}

interface Holder {
  pid: number;
  /** What it is: the platform, or a command. */
  program?: string;
  /** When that process started; tells it from a later one with the same pid. */
  startedAt: string | null;
}

const LOCK = 'moon.lock';

function readHolder(path: string): { text: string; holder: Holder | null } | null {
  try {
    const text = readFileSync(path, 'utf8');
    try {
      return { text, holder: JSON.parse(text) as Holder };
    } catch {
      // Half written by a process that died: nobody's lock.
      return { text, holder: null };
    }
  } catch (error) {
    // Where there is no folder there is no lock either.
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return null;
    throw error;
  }
}

function isAlive({ pid, startedAt }: Holder): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  const now = processStartedAt(pid);
  return now === null || startedAt === null || now === startedAt;
}

/** Takes a dead holder's lock file away; true when it was that one and no newer one. */
function removeStale(path: string, stale: string): void {
  const aside = `${path}.stale.${process.pid}`;
  try {
    renameSync(path, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  if (readFileSync(aside, 'utf8') !== stale) {
    // Another start was faster and this is its fresh lock: give it back.
    linkSync(aside, path);
  }
  rmSync(aside);
}

/** The living process that works on a data directory; null when there is none. */
export function dataDirHolder(dataDir: string): { pid: number; program: string; isPlatform: boolean } | null {
  const holder = readHolder(join(resolve(dataDir), LOCK))?.holder;
  if (!holder || !isAlive(holder)) return null;
  const { pid, program = PLATFORM } = holder;
  return { pid, program, isPlatform: program === PLATFORM };
}

/**
 * Makes this process the only one that works on the data directory, until it is released or the process ends.
 * @param program what this process is, told to those who find the directory in use
 * @throws DataDirInUse when another living process holds it, DataDirUnusable when it cannot be written to
 */
export function lockDataDir(dataDir: string, program = PLATFORM): DataDirLock {
  const folder = resolve(dataDir);
  const path = join(folder, LOCK);
  try {
    makeFolder(folder);
    return take(path, program);
  } catch (error) {
    if (error instanceof DataDirInUse) throw error;
    throw new DataDirUnusable(folder, error as NodeJS.ErrnoException);
  }
}

/** One level after the other: the recursive call of Node 20 never returns where the system refuses with ENOENT (/proc). */
function makeFolder(folder: string): void {
  if (!existsSync(dirname(folder))) makeFolder(dirname(folder));
  try {
    mkdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || !statSync(folder).isDirectory()) throw error;
  }
}

function take(path: string, program: string): DataDirLock {
  const own = JSON.stringify({ pid: process.pid, program, startedAt: processStartedAt(process.pid) } satisfies Holder);
  for (;;) {
    const draft = `${path}.${process.pid}`;
    try {
      writeFileSync(draft, own);
      linkSync(draft, path);
      return {
        release: () => {
          if (readHolder(path)?.text === own) rmSync(path);
        },
      };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    } finally {
      rmSync(draft, { force: true });
    }
    const found = readHolder(path);
    if (found?.holder && isAlive(found.holder))
      throw new DataDirInUse(dirname(path), found.holder.pid, found.holder.program);
    if (found) removeStale(path, found.text);
  }
}

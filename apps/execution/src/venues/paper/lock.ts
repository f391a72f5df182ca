import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** Folders that this process holds: its own number in a lock says nothing of them. */
const held = new Set<string>();

/**
 * Takes a folder for this process; the lock of a process that is gone is taken over.
 *
 * @returns releases it
 * @throws Error when a living process holds it
 */
export function lockDirectory(directory: string): () => void {
  const path = join(resolve(directory), 'venue.lock');
  if (held.has(path)) throw new Error(`The venue's books in ${directory} are open in this process already.`);
  try {
    writeFileSync(path, String(process.pid), { flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    const holder = Number(readFileSync(path, 'utf8'));
    if (holder !== process.pid && isAlive(holder)) {
      throw new Error(
        `The venue's books in ${directory} are in use by process ${holder}. End it, use another folder, or, if that process is something else, remove ${path}.`,
        { cause: error },
      );
    }
    writeFileSync(path, String(process.pid));
  }
  held.add(path);
  return () => {
    held.delete(path);
    rmSync(path, { force: true });
  };
}

function isAlive(pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it is there, but it is somebody else's.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

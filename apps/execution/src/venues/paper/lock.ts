import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Takes a folder for this process; the lock of a process that is gone is taken over.
 *
 * @returns releases it
 * @throws Error when a living process holds it
 */
export function lockDirectory(directory: string): () => void {
  const path = join(directory, 'venue.lock');
  try {
    writeFileSync(path, String(process.pid), { flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    const holder = Number(readFileSync(path, 'utf8'));
    if (holder !== process.pid && isAlive(holder)) {
      throw new Error(`The venue's books in ${directory} are in use by process ${holder}. End it, or use another folder.`, { cause: error });
    }
    writeFileSync(path, String(process.pid));
  }
  return () => rmSync(path, { force: true });
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

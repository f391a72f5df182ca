import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, realpathSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, sep } from 'node:path';
import type { RunAs } from './unprivileged';

/** Where a server's files go when its account cannot reach the data directory: state that is kept, not a cache. */
const ELSEWHERE = '/var/lib/moon-eda';

/** In the data directory: the place that was chosen instead. Without it, whatever lies there belongs to nobody. */
const LOCATION = 'postgres.location';

const PASS = 0o011;

/**
 * Lets others pass through a folder that is ours to change: the data directory itself, and temporary folders that this
 * account made around it. Passing is not listing: names stay hidden.
 */
function letPass(folder: string, mode: number): void {
  chmodSync(folder, (mode & 0o7777) | PASS);
}

/** True when the account may pass through the folder and everything above it, after what could be opened was opened. */
function isReachable(account: RunAs, dataDir: string): boolean {
  const temporary = `${realpathSync(tmpdir())}${sep}`;
  for (let at = dataDir; ; at = dirname(at)) {
    const { mode, uid, gid } = statSync(at);
    const bit = uid === account.uid ? 0o100 : gid === account.gid ? 0o010 : 0o001;
    if ((mode & bit) === 0) {
      const isOurs = uid === process.getuid?.() && (at === dataDir || at.startsWith(temporary));
      if (!isOurs) return false;
      letPass(at, mode);
    }
    if (dirname(at) === at) return true;
  }
}

/** Where the server of a data directory keeps its files. Makes nothing. */
export function homeOf(dataDir: string): string {
  const location = join(dataDir, LOCATION);
  return existsSync(location) ? readFileSync(location, 'utf8').trim() : join(dataDir, 'postgres');
}

/**
 * The same, made ready for the server's account: below the data directory, or, when a folder above that is closed to
 * others (a private home), in a place of its own that the data directory remembers.
 */
export function prepareHome(dataDir: string, account: RunAs | null): string {
  const known = homeOf(dataDir);
  if (!account || existsSync(join(dataDir, LOCATION))) return known;
  const real = realpathSync(dataDir);
  if (isReachable(account, real)) return known;
  const folder = join(ELSEWHERE, randomBytes(8).toString('hex'));
  mkdirSync(folder, { recursive: true });
  for (const path of [ELSEWHERE, folder]) chmodSync(path, 0o755);
  // For whoever finds the folder and wonders.
  writeFileSync(join(folder, 'data-directory'), `${real}\n`);
  const home = join(folder, 'postgres');
  writeFileSync(join(dataDir, LOCATION), `${home}\n`);
  return home;
}

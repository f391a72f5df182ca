import { chmodSync, mkdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { dirname, join } from 'node:path';

/** Whom the server runs as. PostgreSQL refuses to run as root. */
export interface RunAs {
  uid: number;
  gid: number;
}

const ACCOUNTS = ['postgres', 'nobody'];

/** The unprivileged account for the server when this process is root; null when it may run as it is. */
export function unprivilegedAccount(): RunAs | null {
  if (process.getuid?.() !== 0) return null;
  const lines = readFileSync('/etc/passwd', 'utf8').split('\n');
  for (const name of ACCOUNTS) {
    const [, , uid, gid] = lines.find((line) => line.startsWith(`${name}:`))?.split(':') ?? [];
    if (uid && gid && uid !== '0') return { uid: Number(uid), gid: Number(gid) };
  }
  throw new Error(
    `PostgreSQL refuses to run as root, and none of the accounts ${ACCOUNTS.join(', ')} exists to run it. ` +
      'Create one of them, or start the platform as another user.',
  );
}

/** True when the account may pass through the folder and everything above it. */
function canReach(account: RunAs, folder: string): boolean {
  for (let at = realpathSync(folder); ; at = dirname(at)) {
    const { mode, uid, gid } = statSync(at);
    const bit = uid === account.uid ? 0o100 : gid === account.gid ? 0o010 : 0o001;
    if ((mode & bit) === 0) return false;
    if (dirname(at) === at) return true;
  }
}

/**
 * A place below the data directory where the account can work. The data directory itself is made passable; when a
 * folder above it is closed to others (a private home), the place is below /var/tmp instead, the same at every start.
 */
export function reachableHome(dataDir: string, account: RunAs | null): string {
  const home = join(dataDir, 'postgres');
  if (!account) return home;
  const real = realpathSync(dataDir);
  const { mode, uid } = statSync(real);
  if (uid === process.getuid?.() && (mode & 0o001) === 0) chmodSync(real, (mode & 0o7777) | 0o011);
  if (canReach(account, real)) return home;
  const name = createHash('sha256').update(real).digest('hex').slice(0, 16);
  const folder = join('/var/tmp', 'moon-eda', name);
  mkdirSync(folder, { recursive: true });
  for (const path of [dirname(folder), folder]) chmodSync(path, 0o755);
  return join(folder, 'postgres');
}

import { readFileSync } from 'node:fs';

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

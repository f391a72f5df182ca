import { connect } from '../access';
import type { Login } from '../access';
import { dropClient } from '../ha/primary';

/** Whether the right is still there; it goes with the session at the store. */
export type StillSole = () => boolean;

/**
 * Work on a deployment that nobody else may do at the same time, e.g. rebuilding projections. The right to it is a lock of a
 * session: it ends with the process, however that ends.
 *
 * @param what names the work
 * @returns what the work gives; null, without any work, while somebody else is at it
 */
export async function soleWork<T>(
  { login, database, what }: { login: Login; database: string; what: string },
  work: (isSole: StillSole) => Promise<T>,
): Promise<T | null> {
  const client = await connect(login, database);
  let isSole = true;
  client.on('error', () => (isSole = false));
  client.on('end', () => (isSole = false));
  try {
    const lock = "SELECT pg_try_advisory_lock(hashtext('moon-sole'), hashtext($1)) AS held";
    const { rows } = await client.query<{ held: boolean }>(lock, [what]);
    return rows[0]?.held === true ? await work(() => isSole) : null;
  } finally {
    await dropClient(client);
  }
}

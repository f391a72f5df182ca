import type { Client } from 'pg';
import { withClient } from '../access';
import type { Login } from '../login';

export interface Replication {
  /** True while a commit is acknowledged by a standby before it is by the server. */
  isSynchronous: boolean;
  /** Servers that follow the primary now. */
  standbys: number;
  /** One line for people; what to do when commits are on one server only. */
  detail: string;
}

/**
 * Patroni empties the list of synchronous standbys when it gives up on the last one, which is how two nodes stay writable
 * without it; so the list says it all, and the application's role may read it.
 */
const STATE = `SELECT current_setting('synchronous_standby_names') AS names, current_setting('synchronous_commit') AS level,
  (SELECT count(*) FROM pg_stat_replication)::integer AS standbys`;

/** Asked again and again by who watches: one that is not answered is as good as none, wall ms. */
const ANSWER_MS = 2_000;
const WAITS = new Set(['on', 'remote_apply', 'remote_write']);

/**
 * Whether the loss of the primary could lose acknowledged events right now. For health and alerts.
 *
 * @throws QueryTimeout of a server that froze
 */
export async function replicationOf(login: Login, database: string): Promise<Replication> {
  const ask = async (client: Client): Promise<Replication> => {
    const { rows } = await client.query<{ names: string; level: string; standbys: number }>(STATE);
    const { names, level, standbys } = rows[0]!;
    const isSynchronous = names !== '' && WAITS.has(level);
    const degraded = 'commits are on the primary only: bring the standby back (patronictl list says what it lacks)';
    const detail = isSynchronous ? `commits wait for ${names}` : degraded;
    return { isSynchronous, standbys, detail: `${standbys} standby server${standbys === 1 ? '' : 's'}; ${detail}` };
  };
  return withClient(login, database, ask, ANSWER_MS);
}

import { Redis } from 'ioredis';
import { pause, stackApi, waitFor } from '../root';
import { between, type Blow, type Fault } from './fault';

const NODES = ['redis-1', 'redis-2', 'redis-3'];
/** Longer than Sentinel needs to move the mastership away. */
const FROZEN_MS = 8_000;

/** The data node that is primary, by what Sentinel says. */
function primaryOf({ rig }: Blow): Promise<string> {
  return waitFor('A Redis server is primary', 60_000, async () => {
    const { nodes } = await stackApi.status(rig.stackDir);
    return NODES.find((name) => nodes[name]?.role === 'master' && nodes[name]?.state === 'running') ?? null;
  });
}

async function command(blow: Blow, node: string, name: string): Promise<void> {
  const at = blow.rig.addresses.redis?.nodes[NODES.indexOf(node)];
  if (!at) throw new Error(`The stack has no ${node}.`);
  const redis = new Redis({ ...at, lazyConnect: true, maxRetriesPerRequest: 1 });
  try {
    await redis.connect();
    await redis.call(name);
  } finally {
    redis.disconnect();
  }
}

/** What readers are shown: its store of record is the log, so that after each blow it must say again what the log folds to. */
export const cacheFaults: readonly Fault[] = [
  {
    name: 'redis-kill',
    about: 'SIGKILL to the Redis primary; Sentinel moves the mastership, or it is back before',
    repeats: 20,
    needs: 'cache',
    run: async (blow) => {
      const primary = await primaryOf(blow);
      await pause(between(blow.random, 0, 1_000));
      blow.next();
      await stackApi.kill(primary, { dir: blow.rig.stackDir });
    },
  },
  {
    name: 'redis-freeze',
    about: `SIGSTOP to the Redis primary for ${FROZEN_MS / 1_000} s: another takes over, and the old one comes back as a replica`,
    repeats: 20,
    needs: 'cache',
    run: async (blow) => {
      const dir = blow.rig.stackDir;
      const primary = await primaryOf(blow);
      blow.next();
      await stackApi.pause(primary, { dir });
      try {
        await pause(FROZEN_MS);
      } finally {
        await stackApi.resume(primary, { dir });
      }
    },
  },
  {
    name: 'redis-flush',
    about: 'FLUSHALL on the Redis primary, under load',
    repeats: 20,
    needs: 'cache',
    run: async (blow) => {
      const primary = await primaryOf(blow);
      await pause(between(blow.random, 0, 1_000));
      blow.next();
      await command(blow, primary, 'FLUSHALL');
    },
  },
  {
    name: 'redis-restart',
    about: 'SIGKILL to all three Redis servers at once',
    repeats: 20,
    needs: 'cache',
    run: async (blow) => {
      const dir = blow.rig.stackDir;
      await primaryOf(blow);
      blow.next();
      await Promise.all(NODES.map((name) => stackApi.kill(name, { dir })));
    },
  },
];

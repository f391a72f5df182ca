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

/** A fault of the server that is primary, at some moment. */
const atPrimary = (name: string, about: string, strike: (blow: Blow, primary: string) => Promise<void>): Fault => ({
  name,
  about,
  repeats: 20,
  needs: 'cache',
  run: async (blow) => {
    const primary = await primaryOf(blow);
    await pause(between(blow.random, 0, 1_000));
    blow.next();
    await strike(blow, primary);
  },
});

/** What readers are shown: its store of record is the log, so that after each blow it must say again what the log folds to. */
export const cacheFaults: readonly Fault[] = [
  atPrimary(
    'redis-kill',
    'SIGKILL to the Redis primary; Sentinel moves the mastership, or it is back before',
    ({ rig }, primary) => stackApi.kill(primary, { dir: rig.stackDir }),
  ),
  atPrimary(
    'redis-freeze',
    `SIGSTOP to the Redis primary for ${FROZEN_MS / 1_000} s: another takes over, and the old one comes back as a replica`,
    async ({ rig: { stackDir: dir } }, primary) => {
      await stackApi.pause(primary, { dir });
      await pause(FROZEN_MS).finally(() => stackApi.resume(primary, { dir }));
    },
  ),
  atPrimary('redis-flush', 'FLUSHALL on the Redis primary, under load', (blow, primary) =>
    command(blow, primary, 'FLUSHALL'),
  ),
  atPrimary('redis-restart', 'SIGKILL to all three Redis servers at once', async ({ rig: { stackDir: dir } }) => {
    await Promise.all(NODES.map((name) => stackApi.kill(name, { dir })));
  }),
];

import { existsSync, openSync, closeSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { pause, stackApi, waitFor } from '../root';
import { between, type Blow, type Fault } from './fault';

async function nodeOf(blow: Blow, role: string): Promise<string> {
  const dir = blow.rig.stackDir;
  return waitFor(`A PostgreSQL server is ${role}`, 120_000, async () => {
    const { nodes } = await stackApi.status(dir);
    return Object.keys(nodes).find((name) => name.startsWith('postgres-') && nodes[name]?.role === role) ?? null;
  });
}

/** Both servers again, the standby in sync: the next blow is to find what the first found. */
const whole = (blow: Blow): Promise<void> => stackApi.ready(blow.rig.stackDir);

export const storeFaults: readonly Fault[] = [
  {
    name: 'postgres-primary-kill',
    about: 'SIGKILL to the PostgreSQL primary in the middle of appends; Patroni fails over',
    repeats: 20,
    run: async (blow) => {
      await whole(blow);
      const primary = await nodeOf(blow, 'primary');
      await pause(between(blow.random, 0, 500));
      blow.next();
      await stackApi.kill(primary, { dir: blow.rig.stackDir });
    },
  },
  {
    name: 'postgres-standby-kill',
    about: 'SIGKILL to the synchronous standby',
    repeats: 20,
    run: async (blow) => {
      await whole(blow);
      const standby = await nodeOf(blow, 'sync standby');
      blow.next();
      await stackApi.kill(standby, { dir: blow.rig.stackDir });
    },
  },
  {
    name: 'etcd-kill',
    about: 'SIGKILL to one etcd, which stays away for 5 s',
    repeats: 20,
    run: async (blow) => {
      const dir = blow.rig.stackDir;
      const name = `etcd-${between(blow.random, 1, 3)}`;
      await stackApi.kill(name, { dir, keepDown: true });
      await pause(5_000);
      await stackApi.restart(name, { dir });
    },
  },
  {
    name: 'disk-full',
    about: 'no room left on the disk of PostgreSQL for 5 s',
    repeats: 5,
    needs: 'disk',
    run: async (blow) => {
      const filler = join(blow.rig.postgresDisk, 'filler');
      fill(filler);
      await pause(5_000);
      rmSync(filler);
      blow.healed();
    },
  },
];

/** Writes until the disk has no room. */
function fill(file: string): void {
  const block = Buffer.alloc(1024 * 1024);
  const descriptor = openSync(file, existsSync(file) ? 'a' : 'w');
  try {
    for (;;) writeSync(descriptor, block);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  } finally {
    closeSync(descriptor);
  }
}

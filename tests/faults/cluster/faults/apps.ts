import { writeFileSync } from 'node:fs';
import { faketime } from '../faketime';
import { pause, waitFor } from '../root';
import { between, type Blow, type Fault } from './fault';

const TAKEN_OVER_WITHIN_MS = 60_000;

async function killAtSomeMoment({ rig, random, next }: Blow, names: readonly string[]): Promise<void> {
  await pause(between(random, 0, 2_000));
  next();
  await Promise.all(names.map((name) => rig.process(name).kill()));
  await Promise.all([rig.allReady(), ...names.map((name) => rig.process(name).ready())]);
}

/** Shards that a process owns, by what the store says. */
async function ownedBy({ rig }: Blow, name: string): Promise<string[]> {
  const sql = 'SELECT shard FROM shards WHERE owner LIKE $1';
  return ((await rig.store.rows<{ shard: string }>(sql, [`%@${name}`])) ?? []).map(({ shard }) => shard);
}

const kill = (name: string, about: string, processes: (blow: Blow) => string[]): Fault => ({
  name,
  about,
  repeats: 20,
  run: (blow) => killAtSomeMoment(blow, processes(blow)),
});

/** One of the processes of a kind. */
const either =
  (kind: string) =>
  ({ rig, random }: Blow): string[] => {
    const names = rig.apps.map(({ name }) => name).filter((name) => name.startsWith(`${kind}-`));
    return names.slice(between(random, 0, names.length - 1)).slice(0, 1);
  };

/** Freezes a process, waits for `until`, and thaws it. */
async function freeze(blow: Blow, name: string, until: () => Promise<unknown>): Promise<void> {
  blow.rig.process(name).freeze();
  try {
    await until();
  } finally {
    blow.next();
    blow.rig.process(name).thaw();
  }
}

/** Frozen until the other instance has taken its shards over: thawed, it still believes for a moment that they are its own. */
const untilReplaced = (blow: Blow, name: string): Promise<void> =>
  freeze(blow, name, () =>
    waitFor('The other instance takes over', TAKEN_OVER_WITHIN_MS, async () =>
      (await ownedBy(blow, name)).length === 0 ? true : null,
    ),
  );

async function clockJump(blow: Blow, offset: '+1h' | '-1h'): Promise<void> {
  const { rig } = blow;
  const { library, file, env } = faketime(rig.folder);
  writeFileSync(file, '+0\n');
  const victim = rig.process('execution-1');
  await victim.relaunch({ LD_PRELOAD: library, ...env });
  blow.next();
  writeFileSync(file, `${offset}\n`);
  await pause(8_000);
  writeFileSync(file, '+0\n');
  blow.next();
  await pause(2_000);
  await victim.relaunch({});
}

export const appFaults: readonly Fault[] = [
  kill('recorder-kill', 'SIGKILL to the recorder, the relay with it', () => ['recorder']),
  kill('execution-kill', 'SIGKILL to one of two execution processes', either('execution')),
  kill('agents-kill', 'SIGKILL to one of two agents processes', either('agents')),
  kill('venue-kill', 'SIGKILL to the venue, which comes back with its books', () => ['venue']),
  kill('two-apps-kill', 'SIGKILL to an execution and an agents process at once', (blow) => [
    ...either('execution')(blow),
    ...either('agents')(blow),
  ]),
  kill('all-apps-kill', 'SIGKILL to every process of the platform at once', ({ rig }) =>
    rig.apps.map(({ name }) => name),
  ),
  {
    name: 'execution-freeze',
    about: 'SIGSTOP to an execution process until the other has taken over its shards, then SIGCONT',
    repeats: 20,
    run: (blow) => untilReplaced(blow, either('execution')(blow)[0] ?? ''),
  },
  {
    name: 'room-for-one',
    about:
      'approvals for several tokens at a limit with room for one, while an owner is frozen, replaced, thawed and one is killed',
    repeats: 20,
    needs: 'limit',
    run: async (blow) => {
      await untilReplaced(blow, either('execution')(blow)[0] ?? '');
      await killAtSomeMoment(blow, either('execution')(blow));
    },
  },
  {
    name: 'agents-stuck',
    about: 'SIGSTOP to an agents process for 30 s',
    repeats: 20,
    run: (blow) => freeze(blow, either('agents')(blow)[0] ?? '', () => pause(30_000)),
  },
  {
    name: 'rolling-restart',
    about: 'every process of the platform stopped by SIGTERM and started again, one after the other',
    repeats: 5,
    run: async ({ rig, next }) => {
      for (const app of rig.apps) {
        next();
        await app.relaunch({});
      }
    },
  },
  {
    name: 'rebalance-storm',
    about: 'an agents process started and stopped again and again, every second or two',
    repeats: 10,
    run: async ({ rig, random, next }) => {
      const app = rig.process('agents-2');
      for (let round = 0; round < 5; round += 1) {
        await app.kill(true);
        await pause(between(random, 500, 2_000));
        app.start();
        await pause(between(random, 500, 4_000));
        next();
      }
      await app.ready();
    },
  },
  {
    name: 'clock-jump-forward',
    about: 'the clock of one execution process jumps an hour forward, and back after 8 s (libfaketime)',
    repeats: 5,
    run: (blow) => clockJump(blow, '+1h'),
  },
  {
    name: 'clock-jump-back',
    about: 'the clock of one execution process jumps an hour back, and forward after 8 s (libfaketime)',
    repeats: 5,
    run: (blow) => clockJump(blow, '-1h'),
  },
];

import { pause, stackApi, waitFor } from '../root';
import { quorumLeader } from '../quorum';
import { between, type Blow, type Fault } from './fault';

const BROKERS = 3;
const QUORUM_WITHIN_MS = 60_000;

const nameOf = (index: number): string => `kafka-${(index % BROKERS) + 1}`;

/** One broker, or two, that are not the same. */
const some = ({ random }: Blow, count: number): string[] => {
  const first = between(random, 0, BROKERS - 1);
  return Array.from({ length: count }, (_, index) => nameOf(first + index));
};

async function kill(blow: Blow, names: readonly string[]): Promise<void> {
  await Promise.all(names.map((name) => stackApi.kill(name, { dir: blow.rig.stackDir })));
}

async function freeze({ rig, random, next, healed }: Blow, names: readonly string[]): Promise<void> {
  const dir = rig.stackDir;
  for (const name of names) await stackApi.pause(name, { dir });
  await pause(between(random, 6_000, 12_000));
  for (const name of names) await stackApi.resume(name, { dir });
  // Without two brokers in sync nothing can be acknowledged: that is what RF 3 with two in sync means.
  if (names.length > 1) healed();
  else next();
}

export const brokerFaults: readonly Fault[] = [
  {
    name: 'broker-kill',
    about: 'SIGKILL to one broker, which comes back at once',
    repeats: 20,
    run: (blow) => kill(blow, some(blow, 1)),
  },
  {
    name: 'broker-freeze',
    about: 'SIGSTOP to one broker for 6 to 12 s',
    repeats: 20,
    run: (blow) => freeze(blow, some(blow, 1)),
  },
  {
    name: 'controller-kill',
    about: 'SIGKILL to the active controller',
    repeats: 20,
    run: async (blow) => kill(blow, [await activeController(blow)]),
  },
  {
    name: 'two-brokers-kill',
    about: 'SIGKILL to two brokers at once',
    repeats: 20,
    run: async (blow) => {
      await kill(blow, some(blow, 2));
      await stackApi.ready(blow.rig.stackDir);
      blow.healed();
    },
  },
  {
    name: 'two-brokers-freeze',
    about: 'SIGSTOP to two brokers for 6 to 12 s',
    repeats: 20,
    run: (blow) => freeze(blow, some(blow, 2)),
  },
];

/** Of a KRaft cluster the admin client hears any broker; who leads the controllers only the quorum says. */
async function activeController({ rig }: Blow): Promise<string> {
  const leader = await waitFor('A broker says who leads the controllers', QUORUM_WITHIN_MS, async () => {
    const answers = await Promise.all((rig.addresses.kafka?.brokers ?? []).map(quorumLeader));
    return answers.find((id) => id !== null) ?? null;
  });
  return `kafka-${leader}`;
}

import { parseArgs } from 'node:util';
import { FAULTS } from './faults';
import type { Fault, Need } from './faults/fault';
import { Rig, type RigOptions } from './rig';
import { BUDGET_MS, isClean, runFault, seeded, type FaultLine } from './runner';

const USAGE = `npm run faults -- [options]: breaks the distributed platform on real servers and checks its ledger.

  --list          the faults
  --only NAMES    these only, separated by commas
  --repeats N     how often each (its own number, see --list)
  --seed S        of the market and of the moments (1)
  --rate R        ticks per second (1000)
  --plant FILE    loads a script into every process first: a bug that must be found
  --execution N   processes of execution (2)
  --agents N      processes of the agents (2)
  --all-agents    every agent takes part (those that a trade needs)
  --patience N    multiplies time-outs, for a machine that is busy with more (1)
  --json          one JSON line a fault on standard output
  --keep          keeps the folder with the logs, as it is kept after a finding in any case
  --leave         after a finding: ends everything but the servers, and says how to look into them
`;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      help: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      only: { type: 'string' },
      repeats: { type: 'string' },
      seed: { type: 'string', default: '1' },
      rate: { type: 'string', default: '1000' },
      plant: { type: 'string' },
      execution: { type: 'string', default: '2' },
      agents: { type: 'string', default: '2' },
      'all-agents': { type: 'boolean', default: false },
      patience: { type: 'string', default: '1' },
      json: { type: 'boolean', default: false },
      keep: { type: 'boolean', default: false },
      leave: { type: 'boolean', default: false },
    },
  });
  if (values.help) return say(USAGE);
  if (values.list)
    return say(FAULTS.map(({ name, about, repeats }) => `${name.padEnd(26)} ${about} (${repeats})\n`).join(''));
  const names = values.only?.split(',') ?? FAULTS.map(({ name }) => name);
  const chosen = names.map((name) => FAULTS.find((fault) => fault.name === name) ?? unknown(name));
  const options = {
    rate: whole('rate', values.rate),
    seed: whole('seed', values.seed),
    ...(values.plant !== undefined && { plant: values.plant }),
    keep: values.keep || values.leave,
    leave: values.leave,
    execution: whole('execution', values.execution),
    agents: whole('agents', values.agents),
    allAgents: values['all-agents'],
    patience: whole('patience', values.patience),
    say: (line: string) => process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${line}\n`),
  };
  let isFine = true;
  let downtimeMs = 0;
  if (!values.json) say(HEADER);
  for (const needs of [undefined, 'proxy', 'disk', 'cache', 'limit'] as const) {
    const faults = chosen.filter((fault) => fault.needs === needs);
    if (faults.length === 0) continue;
    for await (const line of runAll(faults, { ...options, ...(needs && MEETING[needs]) }, values.repeats)) {
      say(values.json ? `${JSON.stringify(line)}\n` : tableLine(line));
      isFine &&= isClean(line);
      downtimeMs += line.recoveryMsMax ?? 0;
    }
    if (!isFine && values.leave) break;
  }
  if (!values.json) say(budgetLine(downtimeMs));
  return isFine ? 0 : 1;
}

/** Room for one order of the usual size, and a bit, in settlement asset. */
const ROOM_FOR_ONE = 120_000;

/** What a rig is to have for faults that need it. */
const MEETING: Readonly<Record<Need, Partial<RigOptions>>> = {
  proxy: { proxied: true },
  disk: { smallDisk: true },
  cache: { cached: true },
  limit: { grossExposure: ROOM_FOR_ONE },
};

/** All of them on one rig; one that was left broken is replaced. */
async function* runAll(
  faults: readonly Fault[],
  options: RigOptions & { leave: boolean },
  repeats: string | undefined,
): AsyncIterable<FaultLine> {
  let rig: Rig | null = null;
  try {
    for (const fault of faults) {
      rig ??= await Rig.start(options);
      const line = await runFault(
        rig,
        fault,
        repeats === undefined ? fault.repeats : whole('repeats', repeats),
        seeded(options.seed),
      );
      yield line;
      if (isClean(line)) continue;
      await rig.stop({ leaveServers: options.leave, keep: true });
      rig = null;
      if (options.leave) return;
    }
  } finally {
    await rig?.stop();
  }
}

const COLUMNS = [
  ...['repeats', 'accepted', 'lost', 'doubled', 'reordered', 'stuck', 'at venue'],
  ...['p50 ms', 'max ms', 'budget %'],
];
const WIDTH = 10;
const NAMES = 26;
const row = (name: string, cells: readonly unknown[]): string =>
  `${name.padEnd(NAMES)}${cells.map((cell) => String(cell ?? '-').padStart(WIDTH)).join('')}\n`;
const HEADER = row('fault', COLUMNS);

/** The error budget: what all of these together, each at its longest, take of it. */
function budgetLine(downtimeMs: number): string {
  const [seconds, allowed] = [downtimeMs, BUDGET_MS].map((ms) => (ms / 1_000).toFixed(0));
  const share = ((downtimeMs / BUDGET_MS) * 100).toFixed(1);
  return `Each once, at its longest: ${seconds} s of the ${allowed} s that 99.9 % leaves in 30 days (${share} %).\n`;
}

function tableLine(line: FaultLine): string {
  const { name, repeats, accepted, lost, doubled, reordered, stuck, venueDoubles, recoveryMsP50, recoveryMsMax } = line;
  const counts = [repeats, accepted, lost, doubled, reordered, stuck, venueDoubles];
  return row(name, [...counts, recoveryMsP50, recoveryMsMax, line.budgetPercent]);
}

function say(text: string): number {
  process.stdout.write(text);
  return 0;
}

/** What the person at the terminal did wrong: one line, no stack. */
class UsageError extends Error {}

function unknown(name: string): never {
  throw new UsageError(`There is no fault ${name}; --list shows them.`);
}

function whole(name: string, text: string): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= 1) return number;
  throw new UsageError(`--${name} is ${text}; it takes a whole number from 1 on.`);
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(130));
main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    const isUsage = error instanceof UsageError || (error as NodeJS.ErrnoException).code?.startsWith('ERR_PARSE_ARGS');
    const { message, stack } = error instanceof Error ? error : new Error(String(error));
    process.stderr.write(`${isUsage ? message : (stack ?? message)}\n`);
    process.exit(2);
  },
);

import type { Fault, Random } from './faults/fault';
import { Findings } from './ledger/findings';
import { checkLedger } from './ledger/ledger';
import { RecoveryWatch } from './recovery';
import type { Rig } from './rig';

/** What one line of the table says. */
export interface FaultLine {
  name: string;
  repeats: number;
  /** Inputs that the brokers had acknowledged, while this fault was repeated. */
  accepted: number;
  lost: number;
  doubled: number;
  reordered: number;
  stuck: number;
  venueDoubles: number;
  recoveryMsP50: number | null;
  recoveryMsMax: number | null;
  /** How much of what 99.9 % allows in 30 days (see `BUDGET_MS`) the longest recovery takes, %. */
  budgetPercent: number | null;
  /** Orders that the venue accepted meanwhile: a fault without any proves little. */
  orders: number;
  /** Ends of processes that nobody asked for. */
  crashes: number;
  /** What was found, in words. */
  findings: string[];
}

/** Downtime that 99.9 % of 30 days leaves, ms: 43.2 minutes. */
export const BUDGET_MS = 0.001 * 30 * 86_400_000;

/** A small deterministic generator: Lehmer's, modulus 2^31 − 1. */
export function seeded(seed: number): Random {
  let state = (seed % 2_147_483_646) + 1;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

/** Breaks one thing again and again, and checks the ledger after each time. */
export async function runFault(rig: Rig, fault: Fault, repeats: number, random: Random): Promise<FaultLine> {
  const before = { accepted: rig.load.accepted.size, crashes: crashesOf(rig), orders: await ordersOf(rig) };
  const recoveries: number[] = [];
  const line: FaultLine = {
    ...{ name: fault.name, repeats: 0, accepted: 0, lost: 0, doubled: 0, reordered: 0, stuck: 0, venueDoubles: 0 },
    ...{ recoveryMsP50: null, recoveryMsMax: null, budgetPercent: null, orders: 0, crashes: 0, findings: [] },
  };
  for (let repeat = 1; repeat <= repeats; repeat += 1) {
    rig.say(`${fault.name} ${repeat}/${repeats}`);
    rig.load.go();
    const { recovery, findings } = await breakOnce(rig, fault, random);
    if (recovery !== null) recoveries.push(recovery);
    for (const kind of ['lost', 'doubled', 'reordered', 'stuck', 'venueDoubles'] as const)
      line[kind] += findings.counts[kind];
    line.findings.push(...findings.examples);
    line.repeats = repeat;
    rig.say(
      `${fault.name} ${repeat}/${repeats}: recovery ${recovery ?? 'never'} ms${findings.isClean ? '' : ', FOUND'}`,
    );
    for (const example of findings.examples) rig.say(`  ${example}`);
    if (!findings.isClean) break;
  }
  recoveries.sort((a, b) => a - b);
  line.recoveryMsP50 = recoveries[Math.floor((recoveries.length - 1) / 2)] ?? null;
  line.recoveryMsMax = recoveries.at(-1) ?? null;
  line.budgetPercent = line.recoveryMsMax && Math.round((line.recoveryMsMax / BUDGET_MS) * 10_000) / 100;
  line.accepted = rig.load.accepted.size - before.accepted;
  line.crashes = crashesOf(rig) - before.crashes;
  line.orders = (await ordersOf(rig)) - before.orders;
  return line;
}

/** One blow, its recovery and the check afterwards. What cannot be done any more, since something hangs, is stuck. */
async function breakOnce(
  rig: Rig,
  fault: Fault,
  random: Random,
): Promise<{ recovery: number | null; findings: Findings }> {
  const failed: string[] = [];
  const note = (error: unknown): void => void failed.push(error instanceof Error ? error.message : String(error));
  const watch = new RecoveryWatch(rig);
  await watch.begin();
  await fault.run({ rig, random, next: () => watch.blow(), healed: () => watch.blow(true) }).catch(note);
  const recovery = await watch.end(failed.length > 0);
  if (recovery === null) failed.push('not every shard went on in time');
  rig.load.hold();
  const findings = await checkLedger(rig, { isHung: failed.length > 0 }).catch((error: unknown) => {
    note(error);
    return new Findings();
  });
  for (const problem of failed) findings.add('stuck', `after ${fault.name}: ${problem}`);
  return { recovery, findings };
}

export const isClean = ({ lost, doubled, reordered, stuck, venueDoubles }: FaultLine): boolean =>
  lost + doubled + reordered + stuck + venueDoubles === 0;

const crashesOf = (rig: Rig): number => rig.apps.reduce((sum, { crashes }) => sum + crashes.length, 0);

async function ordersOf(rig: Rig): Promise<number> {
  const sql = "SELECT count(*) AS count FROM stream_events WHERE type = 'trade.placed'";
  const rows = await rig.store.rows<{ count: string }>(sql);
  return Number(rows?.[0]?.count ?? 0);
}

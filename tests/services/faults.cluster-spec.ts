import { FAULTS } from '../faults/cluster/faults';
import type { Fault } from '../faults/cluster/faults/fault';
import { Rig } from '../faults/cluster/rig';
import { runFault, seeded, type FaultLine } from '../faults/cluster/runner';

/** Each once, on one rig: minutes. `npm run faults` repeats them, and knows more. */
const SEED = 5;
const RATE = Number(process.env.MOON_FAULTS_RATE ?? 200);
const PATIENCE = Number(process.env.MOON_FAULTS_PATIENCE ?? 3);

const random = seeded(SEED);
let rig: Rig;

const broken = async (name: string): Promise<FaultLine> => {
  const fault = FAULTS.find((one): one is Fault => one.name === name);
  if (!fault) throw new Error(`There is no fault ${name}.`);
  return runFault(rig, fault, 1, random);
};

const expectWhole = (line: FaultLine): void => {
  expect(line.findings).toEqual([]);
  expect(line).toMatchObject({ repeats: 1, lost: 0, doubled: 0, reordered: 0, stuck: 0, venueDoubles: 0 });
  expect(line.accepted).toBeGreaterThan(0);
};

describe('the distributed platform under faults', () => {
  beforeAll(async () => {
    rig = await Rig.start({ rate: RATE, seed: SEED, patience: PATIENCE });
  }, 900_000);
  afterAll(() => rig?.stop(), 120_000);

  it('[BRK-4] [SYS-7] a killed broker: nothing that was acknowledged is lost, doubled or out of its order', async () => {
    expectWhole(await broken('broker-kill'));
  }, 900_000);

  it('[AGT-4] [SYS-8] a killed agents process: every message is handled once, from where the one before had come', async () => {
    expectWhole(await broken('agents-kill'));
  }, 900_000);

  it('[SYS-8] a killed execution process: no order is doubled or forgotten, and the books are the venue’s', async () => {
    expectWhole(await broken('execution-kill'));
  }, 900_000);

  it('[NFA-1] a killed primary of the store: another takes over, and nothing is lost', async () => {
    expectWhole(await broken('postgres-primary-kill'));
  }, 900_000);

  it('[NFA-2] a rolling restart of every process loses nothing', async () => {
    expectWhole(await broken('rolling-restart'));
  }, 900_000);

  it('copies of messages change nothing', async () => {
    expectWhole(await broken('duplicates'));
  }, 900_000);

  it('messages that are none are put aside, and the rest goes on', async () => {
    expectWhole(await broken('poison'));
  }, 900_000);
});

describe('the cache of the distributed platform under faults', () => {
  beforeAll(async () => {
    rig = await Rig.start({ rate: RATE, seed: SEED, patience: PATIENCE, cached: true });
  }, 900_000);
  afterAll(() => rig?.stop(), 120_000);

  it('[NFA-1] [CCH-4] a killed Redis primary: readers are shown again what the log folds to', async () => {
    expectWhole(await broken('redis-kill'));
  }, 900_000);

  it('[CCH-4] a frozen Redis primary: another takes over, and what the old one had acknowledged is not missed', async () => {
    expectWhole(await broken('redis-freeze'));
  }, 900_000);

  it('[SYS-4] an emptied Redis: it is filled again', async () => {
    expectWhole(await broken('redis-flush'));
  }, 900_000);

  it('[SYS-4] a killed recorder: who fills the cache next misses nothing that its predecessor had seen', async () => {
    expectWhole(await broken('recorder-kill'));
  }, 900_000);
});

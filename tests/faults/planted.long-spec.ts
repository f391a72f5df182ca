import { join } from 'node:path';
import { FAULTS } from './cluster/faults';
import type { Fault } from './cluster/faults/fault';
import { ROOT } from './cluster/root';
import type { Kind } from './cluster/ledger/findings';
import { Rig } from './cluster/rig';
import { isClean, runFault, seeded } from './cluster/runner';

const SEED = 5;
const RATE = Number(process.env.MOON_FAULTS_RATE ?? 200);
const PATIENCE = Number(process.env.MOON_FAULTS_PATIENCE ?? 1);
const REPEATS = 3;

/** Bugs that the rig must find, the fault that shows each, and what it is to be found as. */
const PLANTED: ReadonlyArray<readonly [plant: string, fault: string, kind: Kind | null, words: string]> = [
  ['commit-before-effect', 'agents-kill', 'lost', ''],
  ['no-journal', 'agents-kill', null, ''],
  ['missing-dedupe', 'duplicates', 'doubled', ''],
  ['lost-checkpoint', 'all-apps-kill', null, ''],
  ['unordered-relay', 'recorder-kill', 'reordered', ''],
  ['resend-with-new-bytes', 'venue-kill', 'venueDoubles', ''],
  ['local-journal-forgotten', 'force-close-without-store', null, ''],
  ['halt-not-read-again', 'halt-in-flight', 'stuck', 'sent past a halt'],
];

describe('the fault rig finds what was broken on purpose', () => {
  it.each(PLANTED)(
    '[SYS-8] %s, by %s',
    async (plant, name, kind, words) => {
      const fault = FAULTS.find((one): one is Fault => one.name === name)!;
      const file = join(ROOT, 'tests/faults/cluster/planted', `${plant}.cjs`);
      const rig = await Rig.start({ rate: RATE, seed: SEED, patience: PATIENCE, plant: file });
      try {
        const line = await runFault(rig, fault, REPEATS, seeded(SEED));
        expect(isClean(line)).toBe(false);
        if (kind !== null) expect(line[kind]).toBeGreaterThan(0);
        expect(line.findings.join('\n')).not.toBe('');
        expect(line.findings.join('\n')).toContain(words);
      } finally {
        await rig.stop();
      }
    },
    900_000,
  );
});

import { join } from 'node:path';
import { expectUndisturbed, runWithKills } from './kill-rig';

/** A few kills, each between the venue's acceptance and its answer. */
const PLAN = { seed: 7, kills: 4, inAnswer: 1, minutes: 4_000 };

describe('kill -9 while a venue of its own lives on', () => {
  it('[EXE-5] ten kills, some between acceptance and answer: no order doubled or forgotten, portfolio = venue books, the hash of the undisturbed run', async () => {
    const outcome = await runWithKills({ seed: 7, kills: 10, inAnswer: 0.4, minutes: 15_000 });
    expect(outcome.kills.random + outcome.kills.inAnswer).toBe(10);
    expect(outcome.kills.inAnswer).toBeGreaterThanOrEqual(2);
    expect(outcome.reference.fills).toBeGreaterThan(10);
    expectUndisturbed(outcome);
  }, 240_000);

  it('the plan that finds the planted bugs passes without them', async () => {
    const outcome = await runWithKills(PLAN);
    expect(outcome.kills.inAnswer).toBe(PLAN.kills);
    expectUndisturbed(outcome);
  }, 240_000);

  it.each(['submit-before-store', 'no-stored-client-order-id'])(
    'finds the planted bug %s',
    async (bug) => {
      const platform = join(__dirname, 'planted', `${bug}.cjs`);
      const broken = await runWithKills({ ...PLAN, platform }).catch((error: Error) => error);
      if (broken instanceof Error) expect(broken.message).toMatch(/nonce|jumped|diverged|integrity/i);
      else expect(() => expectUndisturbed(broken)).toThrow();
    },
    240_000,
  );
});

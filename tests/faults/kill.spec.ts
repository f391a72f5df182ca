import { join } from 'node:path';
import { comparable, runWithKills, type KillOutcome } from './kill-rig';

const expectUndisturbed = ({ reference, disturbed, referenceBooks, disturbedBooks }: KillOutcome): void => {
  expect(disturbed.orders).toBe(reference.orders);
  expect(disturbed.fills).toBe(reference.fills);
  expect(comparable(disturbedBooks)).toEqual(comparable(referenceBooks));
  const [portfolio] = disturbed.portfolios;
  expect(portfolio?.cash).toBe(disturbedBooks.cash);
  expect(portfolio?.positions.map(({ quantity }) => quantity)).toEqual(disturbedBooks.positions.map(({ quantity }) => quantity));
  expect(disturbed.stateHash).toBe(reference.stateHash);
};

describe('kill -9 while a venue of its own lives on', () => {
  it(
    'ten kills, some between acceptance and answer: no order doubled or forgotten, portfolio = venue books, the hash of the undisturbed run',
    async () => {
      const outcome = await runWithKills({ seed: 7, kills: 10, inAnswer: 0.4, minutes: 6_000 });
      expect(outcome.kills.random + outcome.kills.inAnswer).toBe(10);
      expect(outcome.kills.inAnswer).toBeGreaterThanOrEqual(2);
      expect(outcome.reference.fills).toBeGreaterThan(10);
      expectUndisturbed(outcome);
    },
    240_000,
  );

  it.each(['submit-before-store', 'no-stored-client-order-id'])(
    'finds the planted bug %s',
    async (bug) => {
      const platform = join(__dirname, 'planted', `${bug}.cjs`);
      const broken = await runWithKills({ seed: 7, kills: 4, inAnswer: 1, minutes: 1_200, platform }).catch((error: Error) => error);
      if (broken instanceof Error) expect(broken.message).toMatch(/nonce|jumped|diverged|integrity/i);
      else expect(() => expectUndisturbed(broken)).toThrow();
    },
    240_000,
  );
});

import { expectUndisturbed, runWithKills } from './kill-rig';

describe('kill -9 while a venue of its own lives on, at full size', () => {
  it('a hundred kills at random moments, a quarter of them between acceptance and answer', async () => {
    const outcome = await runWithKills({ seed: 23, kills: 100, inAnswer: 0.25, minutes: 60_000 });
    process.stdout.write(
      `kills: ${JSON.stringify(outcome.kills)}, orders ${outcome.reference.orders}, fills ${outcome.reference.fills}\n`,
    );
    expectUndisturbed(outcome);
    expect(outcome.kills.random + outcome.kills.inAnswer).toBe(100);
    expect(outcome.kills.inAnswer).toBeGreaterThanOrEqual(15);
  });
});

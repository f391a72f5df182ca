import fc from 'fast-check';
import { T0, World, type WorldOptions } from './testing/world';

const QUICK = { cooldownMs: 10_000, slowRetryMs: 5_000, stuckMs: 60_000 };

/** What must hold whatever happened on the way. */
function expectSafe(world: World): void {
  expect(world.problems).toEqual([]);
  expect(world.commands[0]?.command.type).toBe('RaiseHalt');
  const { stages } = world;
  expect(stages[0]).toBe('started');
  if (stages.includes('halted')) expect(stages[1] === 'halted' || stages[1] === 'failed').toBe(true);
}

function expectReleased(world: World): void {
  expectSafe(world);
  expect(world.stages.at(-1)).toBe('released');
  expect(world.state.saga).toBeNull();
  expect(world.isHalted).toBe(false);
  expect(world.isFlat).toBe(true);
  expect(world.state.positions).toEqual({});
  expect(world.state.orders).toEqual({});
  const flatAt = world.reports.filter(({ stage }) => stage === 'flat').at(-1)!.at;
  const releasedAt = world.reports.at(-1)!.at;
  expect(releasedAt - flatAt).toBeGreaterThan(0);
}

const scenarios: Record<string, WorldOptions> = {
  'a long position': {},
  'a short position and resting orders': {
    positions: { 'BTC.X': '-0.75' },
    orders: {
      '00000000-0000-5000-8000-00000000000a': '0.25',
      '00000000-0000-5000-8000-00000000000b': '0.5',
    },
  },
  'several positions': { positions: { 'BTC.X': '1', 'ETH.X': '-12.5', 'SOL.X': '300' } },
  'nothing open any more': { positions: {} },
};

describe('force close around a simulated owner and venue', () => {
  it.each(Object.entries(scenarios))('[RSK-5] brings %s to flat and releases trading', (_, options) => {
    const world = new World({ ...options, config: QUICK }).run();
    expectReleased(world);
    expect(world.stages).not.toContain('failed');
    expect(world.stages).not.toContain('retrying');
  });

  it.each(Object.entries(scenarios))(
    'every event in turn late, doubled, or both changes nothing in the end: %s',
    (_, options) => {
      const undisturbed = new World({ ...options, config: QUICK }).run();
      for (let nth = 0; nth < undisturbed.delivered; nth += 1) {
        for (const late of [0, 1, 17, 700, 12_000])
          for (const twice of [true, false])
            expectReleased(new World({ ...options, config: QUICK, disturb: { nth, late, twice } }).run());
      }
    },
  );

  const luck = fc.array(
    fc.oneof({ weight: 2, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat({ max: 11 }) }),
    {
      maxLength: 120,
      size: 'max',
    },
  );
  const anything = fc.record({
    luck,
    scenario: fc.constantFrom(...Object.values(scenarios)),
    cancelWaitMs: fc.constantFrom(0, 300, 2_000),
    maxAttempts: fc.constantFrom(1, 3, 6),
    again: fc.constantFrom(null, 1, 30, 2_000, 15_000),
  });

  it('[RSK-5] whatever comes in between, it ends flat and released once bad luck ends, and was halted all the way', () => {
    fc.assert(
      fc.property(anything, ({ luck: bad, scenario, again, ...config }) => {
        const world = new World({
          ...scenario,
          config: { ...QUICK, ...config },
          luck: bad,
          triggers: (here) => {
            here.endanger();
            if (again !== null) here.after(again, () => here.endanger());
          },
        });
        expectReleased(world.run());
      }),
      { numRuns: 300 },
    );
  });

  it('[RSK-5] positions that cannot be closed: it says so once, stays halted, and never stops trying', () => {
    fc.assert(
      fc.property(luck, fc.constantFrom('rejected' as const, 'unanswered' as const), (bad, closing) => {
        const world = new World({ config: QUICK, luck: bad.slice(0, 20), closing }).run(T0 + 600_000);
        expectSafe(world);
        expect(world.stages.filter((stage) => stage === 'failed').length).toBeGreaterThanOrEqual(1);
        expect(world.stages).not.toContain('released');
        expect(world.isHalted).toBe(true);
        const attempts = world.commands.filter(({ command }) => command.type === 'ClosePosition');
        if (closing === 'rejected') expect(attempts.at(-1)!.at).toBeGreaterThan(T0 + 590_000);
        else expect(attempts.length).toBeLessThanOrEqual(3);
      }),
      { numRuns: 20 },
    );
  });
});

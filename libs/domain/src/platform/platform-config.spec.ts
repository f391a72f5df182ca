import { Value } from '@sinclair/typebox/value';
import { createAgents, createDeciders, platformConfigSchema, type PlatformConfig } from '.';

function completed(part: object): PlatformConfig {
  const whole = Value.Default(platformConfigSchema, structuredClone(part));
  expect([...Value.Errors(platformConfigSchema, whole)]).toEqual([]);
  return whole as PlatformConfig;
}

describe('the platform configuration', () => {
  it('sizes by a fraction unless it is told a target, which it takes as it is', () => {
    const portfolios = [{ name: 'a' }, { name: 'b', sizing: { mode: 'target', quantity: '1' } }];
    expect(completed({ portfolios }).portfolios.map(({ sizing }) => sizing)).toEqual([
      { mode: 'fraction', fraction: 0.1, scaleByConfidence: true },
      { mode: 'target', quantity: '1' },
    ]);
  });

  it('leaves out what is switched off: no handler, no vote', () => {
    const all = completed({});
    const some = completed({ switchedOff: ['agent/chart', 'normaliser/bars'], consensus: { minimumAgents: 3 } });
    const names = (config: PlatformConfig) =>
      [...createAgents(config), ...createDeciders(config)].map(({ name }) => name);
    expect(names(all).filter((name) => !names(some).includes(name))).toEqual(['agent/chart', 'normaliser/bars']);
    const tooFew = completed({ switchedOff: ['agent/chart'], consensus: { minimumAgents: 4 } });
    expect(() => createDeciders(tooFew)).toThrow('only 3 voters have a weight above 0');
  });
});

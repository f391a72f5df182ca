import { completeConfig } from '../../agent-kit';
import { tradingConditions } from './conditions';
import { tradingAgentConfigSchema } from './config';
import type { Features } from './features';

const { conditions } = completeConfig('test', tradingAgentConfigSchema, {});
const calm: Features = {
  close: 100,
  smaFast: 100.1,
  smaSlow: 100,
  rsi: 50,
  macd: 0.1,
  macdSignal: 0.05,
  macdHistogram: 0.05,
  bollingerUpper: 102,
  bollingerMiddle: 100,
  bollingerLower: 98,
  sigma: 1,
};
const met = (before: Partial<Features>, now: Partial<Features>): string[] =>
  tradingConditions({ ...calm, ...before }, { ...calm, ...now }, conditions);

describe('trading conditions', () => {
  it.each([
    ['sma_cross', { smaFast: 100.1 }, { smaFast: 99.9 }],
    ['macd_cross', { macdHistogram: 0.05 }, { macdHistogram: -0.01 }],
    ['rsi_extreme', { rsi: 69 }, { rsi: 70 }],
    ['rsi_extreme', { rsi: 31 }, { rsi: 30 }],
    ['band_break', { close: 101.9 }, { close: 102.1 }],
    ['band_break', { close: 98.1 }, { close: 97.9 }],
    ['trend', { smaFast: 101.9 }, { smaFast: 102 }],
  ])('%s is met by entering it, not by being in it', (name, before, now) => {
    expect(met(before, now)).toEqual([name]);
    expect(met(now, now)).toEqual([]);
  });

  it('a bar without a bar before, or one like it, meets none; several can be met at once', () => {
    expect(tradingConditions(null, calm, conditions)).toEqual([]);
    expect(met({}, {})).toEqual([]);
    expect(met({}, { rsi: 75, close: 103 })).toEqual(['rsi_extreme', 'band_break']);
  });
});

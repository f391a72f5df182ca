import fc from 'fast-check';
import { DEFINITIONS, type AnyEvent, type EmitData } from '@moon/events';
import { completeConfig } from '../../agent-kit';
import { driveHandler, testEvent } from '../../handler';
import { fundingAgentConfigSchema } from './config';
import { annualRate, fundingView, learn } from './decide';
import { createFundingAgent } from './funding-agent';
import type { RateMemory } from './state';

const NOW = 1_700_000_000_000;
const HOUR = 3_600_000;
const WINDOW = '5b3f1c52-63a1-5d9c-8f7e-1b8a7a6f0c01';
const config = completeConfig('test', fundingAgentConfigSchema, {});

type Update = EmitData<'funding.update'>;
const eightHourly = (rate: number, change: Partial<Update> = {}): Update => ({
  token: 'BTC',
  instrument: 'BTCUSDT.BINANCE-USDM',
  rate,
  intervalHours: 8,
  status: 'settled',
  settlesAt: NOW,
  timestamp: NOW,
  ...change,
});
const hourly = (rate: number): Update => eightHourly(rate, { instrument: 'BTC.HYPERLIQUID', intervalHours: 1 });
/** The rate per 8 h at which funding is this much above neutral in a year. */
const rateAt = (excess: number): number => (config.neutralApr + excess) / 1_095;

function viewOf(updates: Update[], at = NOW) {
  const rates: RateMemory[] = [];
  for (const one of updates) learn(rates, { event_type: 'funding.update', ...one });
  return fundingView(rates, at, config);
}
const event = (data: Update, headers = {}): AnyEvent => testEvent('funding.update', data.timestamp, data, { headers });

function windowOpens(at: number): AnyEvent {
  const voters = [{ agent: 'funding_agent', weight: 1 }];
  const example = DEFINITIONS['consensus.opened'].example;
  return testEvent('consensus.opened', at, {
    ...example,
    token: 'BTC',
    windowId: WINDOW,
    openedBy: 'chart_agent',
    voters,
    timestamp: at,
  });
}

describe('the view on funding', () => {
  it('rates of different intervals are the same when they cost the same a year', () => {
    expect(annualRate(0.0000125, 1)).toBeCloseTo(annualRate(0.0001, 8), 12);
    expect(annualRate(0.0001, 8)).toBeCloseTo(0.1095, 12);
    expect(viewOf([hourly(rateAt(0.8) / 8)])).toEqual(viewOf([eightHourly(rateAt(0.8))]));
  });

  it.each([
    ['longs crowded', 0.9, 'SELL'],
    ['shorts crowded', -0.9, 'BUY'],
    ['longs leading mildly', 0.2, 'BUY'],
    ['shorts leading mildly', -0.2, 'SELL'],
    ['neutral', 0, 'HOLD'],
    ['between mild and extreme', 0.42, 'HOLD'],
  ])('%s (excess %d): %s', (_, excess, action) => {
    expect(viewOf([eightHourly(rateAt(excess))]).action).toBe(action);
  });

  it('given extremes, then score and confidence carry a consensus; mild crowding only helps one; HOLD dilutes little', () => {
    expect(viewOf([eightHourly(rateAt(1.6))]).score).toBe(95);
    expect(viewOf([eightHourly(rateAt(1.6))]).confidence).toBeCloseTo(0.95);
    expect(viewOf([eightHourly(rateAt(0.2))]).confidence).toBeCloseTo(0.3);
    expect(viewOf([eightHourly(rateAt(0))]).confidence).toBeCloseTo(0.1);
  });

  it('fades from the first interval to the second, then there is no view', () => {
    const extreme = [eightHourly(rateAt(0.9))];
    const fresh = viewOf(extreme).confidence;
    expect(viewOf(extreme, NOW + 8 * HOUR).confidence).toBe(fresh);
    expect(viewOf(extreme, NOW + 12 * HOUR).confidence).toBeCloseTo(fresh / 2);
    expect(viewOf(extreme, NOW + 16 * HOUR)).toMatchObject({
      action: 'HOLD',
      confidence: 0,
      reason: 'all funding data is stale',
    });
  });

  it('given no data, then there is no view', () => {
    expect(viewOf([])).toMatchObject({ action: 'HOLD', confidence: 0, reason: 'no funding data' });
  });

  it('given several instruments, then their mean counts; the newest rate of each, never an older one', () => {
    const mixed = [eightHourly(rateAt(1.2)), hourly(rateAt(-1.2) / 8)];
    expect(viewOf(mixed).action).toBe('HOLD');
    const late = [eightHourly(rateAt(0.9)), eightHourly(rateAt(-0.9), { timestamp: NOW - 1 })];
    expect(viewOf(late)).toEqual(viewOf([eightHourly(rateAt(0.9))]));
  });

  it('property: in range, and the mirror image of a rate about neutral gets the opposite action', () => {
    const opposite = { BUY: 'SELL', SELL: 'BUY', HOLD: 'HOLD' } as const;
    fc.assert(
      fc.property(fc.double({ min: -5, max: 5, noNaN: true }), (excess) => {
        const view = viewOf([eightHourly(rateAt(excess))]);
        expect(view.score).toBeLessThanOrEqual(95);
        expect(view.confidence).toBeLessThanOrEqual(0.95 + 1e-12);
        const edges = [config.mildExcess, config.mildUpTo, config.extremeExcess];
        if (edges.every((edge) => Math.abs(Math.abs(excess) - edge) > 1e-9)) {
          expect(viewOf([eightHourly(rateAt(-excess))]).action).toBe(opposite[view.action]);
        }
      }),
    );
  });
});

describe('the funding agent', () => {
  const drive = (events: AnyEvent[]) => driveHandler(createFundingAgent(), events);

  it('given longs become crowded, then it signals SELL once and answers windows with the same view', () => {
    const run = drive([
      event(eightHourly(rateAt(0))),
      event(eightHourly(rateAt(0.9), { timestamp: NOW + 8 * HOUR })),
      event(eightHourly(rateAt(0.9), { timestamp: NOW + 8 * HOUR + 1 })),
      windowOpens(NOW + 8 * HOUR + 2),
    ]);
    expect(run.of('signal.generated')).toMatchObject([
      {
        agent: 'funding_agent',
        action: 'SELL',
        reason: 'longs are crowded: funding is 101.0 % a year, 90.0 % from neutral (crossed)',
      },
      { agent: 'funding_agent', action: 'SELL', windowId: WINDOW },
    ]);
  });

  it('given a mild lead, then it votes with it but opens nothing', () => {
    const run = drive([event(eightHourly(rateAt(0.2))), windowOpens(NOW + 1)]);
    expect(run.of('signal.generated')).toMatchObject([{ windowId: WINDOW, action: 'BUY' }]);
  });

  it('given no funding data, then it answers HOLD with confidence 0', () => {
    expect(drive([windowOpens(NOW)]).of('signal.generated')).toMatchObject([
      { action: 'HOLD', confidence: 0, reason: 'no funding data' },
    ]);
  });

  it('given warm-up or a global halt, then it learns without a word', () => {
    const warm = drive([event(eightHourly(rateAt(0.9)), { warmup: true })]);
    expect(warm.emitted).toEqual([]);
    const halt = testEvent(
      'halt.raised',
      NOW,
      { source: 'risk', scope: 'global', reason: 'x', timestamp: NOW },
      { key: 'global' },
    );
    const halted = drive([
      event(eightHourly(rateAt(0))),
      halt,
      event(eightHourly(rateAt(0.9), { timestamp: NOW + 1 })),
      windowOpens(NOW + 2),
    ]);
    expect(halted.emitted).toEqual([]);
    expect(halted.state.rates[0]?.apr).toBeCloseTo(config.neutralApr + 0.9);
    expect(halted.state.voter.counts.withheld).toBe(2);
  });

  it('refuses bounds in the wrong order', () => {
    expect(() => createFundingAgent({ mildUpTo: 0.6 })).toThrow(/mildUpTo ≤ extremeExcess/);
  });
});

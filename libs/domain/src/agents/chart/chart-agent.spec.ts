import { DEFINITIONS, validateData, type AnyEvent, type EmitData } from '@moon/events';
import { completeConfig } from '../../agent-kit';
import { minuteBar } from '../../agent-kit/testing';
import { driveHandler, testEvent } from '../../handler';
import { createChartAgent } from './chart-agent';
import { chartAgentConfigSchema } from './config';
import { chartOpinion, chartView } from './decide';
import { newLengths } from './state';

const START = 1_700_000_100_000 - (1_700_000_100_000 % 900_000);
const MINUTE = 60_000;
const WINDOW = '5b3f1c52-63a1-5d9c-8f7e-1b8a7a6f0c01';

type Path = (minute: number) => number;
const flat: Path = (minute) => 50_000 + 10 * Math.sin(minute / 3);
const rising: Path = (minute) => 50_000 + 8 * minute + 10 * Math.sin(minute / 3);
const falling: Path = (minute) => 50_000 - 8 * minute + 10 * Math.sin(minute / 3);

function bars(path: Path, from: number, to: number, options: { warmup?: boolean } = {}): AnyEvent[] {
  return Array.from({ length: to - from }, (_, i) => {
    const [open, close] = [path(from + i - 1), path(from + i)];
    const range = { high: Math.max(open, close) + 3, low: Math.min(open, close) - 3 };
    return minuteBar(START + (from + i) * MINUTE, { open, close, ...range }, options);
  });
}

function windowOpens(at: number): AnyEvent {
  const example = DEFINITIONS['consensus.opened'].example;
  const voters = [{ agent: 'chart_agent', weight: 1 }];
  return testEvent('consensus.opened', at, {
    ...example,
    token: 'BTC',
    windowId: WINDOW,
    openedBy: 'trading_agent',
    voters,
    timestamp: at,
  });
}
const drive = (events: readonly AnyEvent[]) => driveHandler(createChartAgent(), events);
const closeOf = (minute: number): number => START + (minute + 1) * MINUTE;

describe('the chart agent', () => {
  it('given a steady rise on all bar lengths, then it opens with BUY, valid and with its figures, and votes BUY strongly', () => {
    const run = drive([...bars(rising, 0, 400), windowOpens(closeOf(399) + 1_000)]);
    const signals = run.of('signal.generated');
    expect(signals.every((one) => one.action === 'BUY')).toBe(true);
    const vote = signals[signals.length - 1] as EmitData<'signal.generated'>;
    expect(vote).toMatchObject({ windowId: WINDOW, agent: 'chart_agent' });
    expect(vote.score).toBeGreaterThan(75);
    expect(vote.confidence).toBeGreaterThan(0.7);
    expect(vote.reason).toMatch(/^chart points up: lean 0\.\d+ \(1 min .*; 5 min .*; 15 min .*\)/);
    for (const one of signals)
      expect(() => validateData('signal.generated', { event_type: 'signal.generated', ...one })).not.toThrow();
  });

  it('given a steady fall, then it says SELL', () => {
    const signals = drive(bars(falling, 0, 400)).of('signal.generated');
    expect(signals.length).toBeGreaterThan(0);
    expect(signals.every((one) => one.action === 'SELL')).toBe(true);
  });

  it('given a market that goes nowhere, then it opens nothing and its vote dilutes little', () => {
    const run = drive([...bars(flat, 0, 400), windowOpens(closeOf(399) + 1_000)]);
    expect(run.of('signal.generated')).toMatchObject([
      { windowId: WINDOW, action: 'HOLD', score: 50, confidence: 0.1 },
    ]);
  });

  it('given a rise for hours, then it speaks rarely: at most every 15 minutes', () => {
    const signals = drive(bars(rising, 0, 1_200)).of('signal.generated');
    const gaps = signals.slice(1).map((one, i) => one.timestamp - (signals[i]?.timestamp ?? 0));
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(15 * MINUTE);
    expect(signals.length).toBeLessThan(30);
  });

  it('given the long bars are still warming up, then it is less sure', () => {
    const early = drive([...bars(rising, 0, 60), windowOpens(closeOf(59) + 1)])
      .of('signal.generated')
      .pop();
    const late = drive([...bars(rising, 0, 400), windowOpens(closeOf(399) + 1)])
      .of('signal.generated')
      .pop();
    expect(early?.confidence).toBeLessThan(0.8 * (late?.confidence ?? 0));
  });

  it('given nothing yet, or no bar for three minutes, then it has no view and says why', () => {
    expect(drive([windowOpens(closeOf(0))]).of('signal.generated')).toMatchObject([
      { action: 'HOLD', confidence: 0, reason: 'no bar for too long' },
    ]);
    const warming = drive([...bars(rising, 0, 5), windowOpens(closeOf(4) + 1)]);
    expect(warming.of('signal.generated')).toMatchObject([
      { action: 'HOLD', confidence: 0, reason: 'still warming up' },
    ]);
    const silent = drive([...bars(rising, 0, 400), windowOpens(closeOf(399) + 180_001)]);
    expect(silent.of('signal.generated').pop()).toMatchObject({ confidence: 0, reason: 'no bar for too long' });
  });

  it('given warm-up bars, then it emits nothing on them and is ready at the first live one', () => {
    expect(drive(bars(rising, 0, 400, { warmup: true })).emitted).toEqual([]);
    const live = drive([...bars(rising, 0, 400, { warmup: true }), ...bars(rising, 400, 401)]);
    expect(live.of('signal.generated')).toMatchObject([{ action: 'BUY' }]);
  });

  it('given a global halt, then it stays silent and goes on watching; afterwards it speaks', () => {
    const halt = (type: 'halt.raised' | 'halt.lifted', at: number) =>
      testEvent(type, at, { source: 'risk', scope: 'global', reason: 'drawdown', timestamp: at }, { key: 'global' });
    const halted = [
      ...bars(rising, 0, 1),
      halt('halt.raised', closeOf(0)),
      ...bars(rising, 1, 400),
      windowOpens(closeOf(399)),
    ];
    expect(drive(halted).emitted).toEqual([]);
    const after = drive([...halted, halt('halt.lifted', closeOf(399)), ...bars(rising, 400, 401)]);
    expect(after.of('signal.generated')).toHaveLength(1);
  });

  it('given a gap in the bars, then longer bars close with what they have and nothing breaks', () => {
    const run = drive([...bars(rising, 0, 393), ...bars(rising, 419, 431), windowOpens(closeOf(430))]);
    const [one, five, fifteen] = run.state.lengths;
    expect(one?.series.bars.length).toBeGreaterThan(20);
    expect(five?.lean).not.toBeNull();
    expect(fifteen?.lean).not.toBeNull();
  });

  it('given another instrument takes over after a silence, then all lengths start anew', () => {
    const other = minuteBar(
      START + 460 * MINUTE,
      { open: 9, high: 9, low: 9, close: 9 },
      { instrument: 'BTC.HYPERLIQUID' },
    );
    const run = drive([...bars(rising, 0, 400), other]);
    expect(run.state.lengths.every((length) => length.lean === null)).toBe(true);
  });

  it('refuses lengths that its base bars do not fill', () => {
    expect(() => createChartAgent({ baseMinutes: 5, lengths: [{ minutes: 7, weight: 1 }] })).toThrow(
      /length 7 is no multiple/,
    );
  });
});

describe('the view over several lengths', () => {
  const config = completeConfig('test', chartAgentConfigSchema, {});
  const lengths = (...leans: (number | null)[]) =>
    newLengths(config).map((length, i) => ({ ...length, lean: leans[i] ?? null }));

  it('is the weighted mean of the ready lengths', () => {
    expect(chartOpinion(lengths(null, null, null), config)).toBeNull();
    expect(chartOpinion(lengths(0.85, 0.85, 0.85), config)).toMatchObject({ action: 'BUY', score: 95 });
    expect(chartOpinion(lengths(-0.7, -0.7, -0.7), config)).toMatchObject({ action: 'SELL' });
    expect(chartOpinion(lengths(1, -1, 0.9), config)).toMatchObject({ action: 'HOLD' });
  });

  it('is less sure when one length points the other way, and when lengths are missing', () => {
    const agreed = chartOpinion(lengths(0.3, 0.9, 0.9), config)?.confidence ?? 0;
    expect(chartOpinion(lengths(-0.2, 1, 1), config)?.confidence).toBeLessThan(agreed);
    expect(chartOpinion(lengths(0.75, null, null), config)?.confidence).toBeLessThan(0.7 * agreed);
    expect(chartView(lengths(null, null, null), config)).toMatchObject({ confidence: 0, reason: 'still warming up' });
  });
});

import { DEFINITIONS, validateData, type AnyEvent, type EmitData } from '@moon/events';
import { minuteBar } from '../../agent-kit/testing';
import { driveHandler, testEvent } from '../../handler';
import {
  createBollinger,
  createMacd,
  createRsi,
  createSma,
  pushBollinger,
  pushMacd,
  pushRsi,
  pushSma,
} from '../../indicators';
import { createTradingAgent } from './trading-agent';

const START = 1_700_000_040_000;
const MINUTE = 60_000;
const WINDOW = '5b3f1c52-63a1-5d9c-8f7e-1b8a7a6f0c01';
const OTHER_WINDOW = '5b3f1c52-63a1-5d9c-8f7e-1b8a7a6f0c02';
const BUY = { action: 'BUY', score: 85, confidence: 0.8, reason: 'trend up' };

/** Gently rising closes with a wave, so that every indicator has a value. */
const closeAt = (minute: number): number => Math.round((50_000 + minute * 3 + 40 * Math.sin(minute / 5)) * 100) / 100;
function bar(minute: number, options: { warmup?: boolean; close?: number } = {}): AnyEvent {
  const close = options.close ?? closeAt(minute);
  const open = closeAt(minute - 1);
  return minuteBar(
    START + minute * MINUTE,
    { open, high: Math.max(open, close) + 1, low: Math.min(open, close) - 1, close },
    options,
  );
}
const bars = (from: number, to: number, options: { warmup?: boolean } = {}): AnyEvent[] =>
  Array.from({ length: to - from }, (_, i) => bar(from + i, options));
/** The instant at which the bar of a minute closes. */
const closeOf = (minute: number): number => START + (minute + 1) * MINUTE;

function windowOpens(at: number, change: Partial<EmitData<'consensus.opened'>> = {}): AnyEvent {
  const example = DEFINITIONS['consensus.opened'].example;
  const voters = ['trading_agent', 'chart_agent'].map((agent) => ({ agent, weight: 1 }));
  const data = {
    ...example,
    token: 'BTC',
    windowId: WINDOW,
    openedBy: 'chart_agent',
    voters,
    closesAt: at + 5_000,
    timestamp: at,
  };
  return testEvent('consensus.opened', at, { ...data, ...change });
}

function completed(inferenceId: string, at: number, change: Partial<EmitData<'inference.completed'>> = {}): AnyEvent {
  const answer = JSON.stringify(BUY);
  const facts = {
    token: 'BTC',
    agent: 'trading_agent',
    model: 'rule-based-1',
    provider: 'rule-based',
    status: 'ok',
  } as const;
  return testEvent('inference.completed', at, {
    ...facts,
    inferenceId,
    answer,
    latencyMs: 120,
    timestamp: at,
    ...change,
  });
}

function halt(type: 'halt.raised' | 'halt.lifted', at: number, source = 'risk'): AnyEvent {
  return testEvent(type, at, { source, scope: 'global', reason: 'drawdown', timestamp: at }, { key: 'global' });
}

/** Drives a fresh agent; `then` adds events that need the ids of what was asked so far. */
function drive(given: readonly AnyEvent[], ...then: ((asked: EmitData<'inference.requested'>[]) => AnyEvent[])[]) {
  const events = [...given];
  for (const more of then) events.push(...more(driveHandler(createTradingAgent(), events).of('inference.requested')));
  return driveHandler(createTradingAgent(), events);
}

const firstId = (asked: EmitData<'inference.requested'>[]): string => asked[0]?.inferenceId ?? 'none';
const lastId = (asked: EmitData<'inference.requested'>[]): string => asked[asked.length - 1]?.inferenceId ?? 'none';

describe('given bars', () => {
  it('[TRD-1] when the indicators are ready, then the question carries SMA 20/50, RSI 14, MACD 12/26/9 and Bollinger 20/2 of the closes', () => {
    const run = drive(bars(0, 50));
    const [asked] = run.of('inference.requested');
    const sma20 = createSma(20);
    const sma50 = createSma(50);
    const rsi = createRsi(14);
    const macd = createMacd(12, 26, 9);
    const bands = createBollinger(20, 2);
    const closes = Array.from({ length: 50 }, (_, i) => closeAt(i));
    const expected = closes.map((close) => {
      const bollinger = pushBollinger(bands, close);
      const line = pushMacd(macd, close);
      const averages = { smaFast: pushSma(sma20, close), smaSlow: pushSma(sma50, close), rsi: pushRsi(rsi, close) };
      return {
        ...averages,
        macd: line?.macd,
        macdSignal: line?.signal,
        bollingerUpper: bollinger?.upper,
        bollingerLower: bollinger?.lower,
      };
    });
    for (const [name, value] of Object.entries(expected[49] ?? {})) {
      expect(Math.abs(Number(asked?.features[name]) - Number(value))).toBeLessThanOrEqual(1e-9);
    }
    expect(asked?.features.close).toBe(closeAt(49));
    expect(run.of('inference.requested')).toHaveLength(1);
  });

  it('[TRD-2] when it asks, then the request is valid, derived from its cause, and nothing waits for the answer', () => {
    const run = drive(bars(0, 61));
    const asked = run.of('inference.requested');
    expect(asked.length).toBeGreaterThanOrEqual(2);
    for (const request of asked) {
      expect(() =>
        validateData('inference.requested', { event_type: 'inference.requested', ...request }),
      ).not.toThrow();
      expect(request.prompt).toContain(`smaFast: ${request.features.smaFast}`);
    }
    expect(new Set(asked.map((one) => one.inferenceId)).size).toBe(asked.length);
    expect(drive(bars(0, 61)).of('inference.requested')).toEqual(asked);
    expect(run.state.source.taken).toBe(61);
  });

  it('when there are fewer than 50, then it asks nothing', () => {
    expect(drive(bars(0, 49)).emitted).toEqual([]);
  });

  it('when they are warm-up, then it asks nothing, and the first live bar finds the indicators ready', () => {
    const warm = drive(bars(0, 80, { warmup: true }));
    expect(warm.emitted).toEqual([]);
    expect(drive([...bars(0, 80, { warmup: true }), bar(80)]).of('inference.requested')).toHaveLength(1);
  });

  it('when conditions follow each other, then questions of its own accord are at least ten minutes apart', () => {
    const asked = drive(bars(0, 300)).of('inference.requested');
    const gaps = asked.slice(1).map((one, i) => one.timestamp - (asked[i]?.timestamp ?? 0));
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(10 * MINUTE);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(30 * MINUTE);
  });

  it('when another instrument takes over after a silence, then indicators and view start anew', () => {
    const other = (minute: number) =>
      minuteBar(START + minute * MINUTE, { open: 9, high: 9, low: 9, close: 9 }, { instrument: 'BTC.HYPERLIQUID' });
    const run = drive(bars(0, 60), () => [other(60), other(75)]);
    expect(run.state.source).toMatchObject({ instrument: 'BTC.HYPERLIQUID', taken: 61, passedOver: 1 });
    expect(run.state.features).toBeNull();
  });
});

describe('given the model answers', () => {
  it('[TRD-2] when the answer is valid, then signal.generated carries it with its full context', () => {
    const run = drive(bars(0, 50), (asked) => [completed(firstId(asked), closeOf(49) + 120, { costUsd: 0.002 })]);
    const [signal] = run.of('signal.generated');
    expect(signal).toMatchObject({
      token: 'BTC',
      action: 'BUY',
      score: 85,
      confidence: 0.8,
      agent: 'trading_agent',
      reason: 'trend up (crossed)',
    });
    expect(signal?.context).toMatchObject({
      close: closeAt(49),
      trigger: 'first',
      provider: 'rule-based',
      latencyMs: 120,
      costUsd: 0.002,
      instrument: 'BTCUSDT.BINANCE-SPOT',
    });
    expect(signal?.windowId).toBeUndefined();
    expect(() => validateData('signal.generated', { event_type: 'signal.generated', ...signal })).not.toThrow();
  });

  it.each([
    ['invalid_answer', { answer: 'BUY BUY BUY' }],
    ['timeout', { status: 'timeout', answer: '' }],
    ['unavailable', { status: 'error', answer: 'HTTP 529 overloaded' }],
  ] as const)(
    '[TRD-2] when it is no answer (%s), then signal.error says so and no signal is made up',
    (reason, change) => {
      const run = drive(bars(0, 50), (asked) => [completed(firstId(asked), closeOf(49) + 120, change)]);
      const [error] = run.of('signal.error');
      expect(error).toMatchObject({ token: 'BTC', agent: 'trading_agent', reason });
      expect(() => validateData('signal.error', { event_type: 'signal.error', ...error })).not.toThrow();
      expect(run.of('signal.generated')).toEqual([]);
      expect(run.state.inferences.failed).toBe(1);
    },
  );

  it('when nobody asked, or for another agent, then it is ignored; the unknown one is counted', () => {
    const unknown = completed('00000000-0000-5000-8000-000000000000', closeOf(49) + 100);
    const foreign = completed('00000000-0000-5000-8000-000000000000', closeOf(49) + 100, { agent: 'other' });
    const run = drive([...bars(0, 50), unknown, foreign]);
    expect(run.of('signal.generated')).toEqual([]);
    expect(run.state.inferences.unknown).toBe(1);
  });

  it('when the same answer comes twice, then it counts once', () => {
    const run = drive(bars(0, 50), (asked) => [
      completed(firstId(asked), closeOf(49) + 100),
      completed(firstId(asked), closeOf(49) + 101),
    ]);
    expect(run.of('signal.generated')).toHaveLength(1);
    expect(run.state.inferences).toMatchObject({ answered: 1, unknown: 1 });
  });

  it('when it comes after its time, then it is late: signal.error, no signal', () => {
    const run = drive(bars(0, 50), (asked) => [completed(firstId(asked), closeOf(49) + 4_001)]);
    expect(run.of('signal.generated')).toEqual([]);
    expect(run.of('signal.error')).toMatchObject([{ reason: 'timeout' }]);
    expect(run.state.inferences.late).toBe(1);
  });

  it('when it never comes, then the next bar gives the question up with signal.error, and the agent goes on', () => {
    const run = drive(bars(0, 60));
    expect(run.of('signal.error')).toMatchObject([
      { reason: 'timeout', inferenceId: firstId(run.of('inference.requested')) },
    ]);
    expect(run.state.pending).toHaveLength(1);
  });
});

describe('given a consensus window opens', () => {
  const asked = bars(0, 50);
  const answered = (list: EmitData<'inference.requested'>[]) => [completed(firstId(list), closeOf(49) + 100)];

  it('when its view is fresh, then it answers at once', () => {
    const run = drive(asked, answered, () => [windowOpens(closeOf(49) + 30_000)]);
    expect(run.of('signal.generated')[1]).toMatchObject({
      windowId: WINDOW,
      action: 'BUY',
      confidence: 0.8,
      timestamp: closeOf(49) + 30_000,
    });
  });

  it('[US2-1] when an inference is pending, then its answer becomes the vote', () => {
    const run = drive(asked, () => [windowOpens(closeOf(49) + 10)], answered);
    expect(run.of('signal.generated')).toMatchObject([
      { windowId: WINDOW, action: 'BUY', timestamp: closeOf(49) + 100 },
    ]);
    expect(run.of('inference.requested')).toHaveLength(1);
  });

  it('when its view is old, then it asks for this window, within the window’s time, and votes with the answer', () => {
    const at = closeOf(52) + 30_000;
    const run = drive(
      asked,
      answered,
      () => [...bars(50, 53), windowOpens(at)],
      (list) => [completed(lastId(list), at + 500)],
    );
    const request = run.of('inference.requested')[1];
    expect(request).toMatchObject({ windowId: WINDOW, timeoutMs: 4_000 });
    expect(run.of('signal.generated')[1]).toMatchObject({ windowId: WINDOW, context: { trigger: 'window' } });
  });

  it('when the window is short, then the model gets less time, or is not asked at all', () => {
    const at = closeOf(52) + 30_000;
    const short = drive(asked, answered, () => [...bars(50, 53), windowOpens(at, { closesAt: at + 1_000 })]);
    expect(short.of('inference.requested')[1]).toMatchObject({ timeoutMs: 750 });
    const tooShort = drive(asked, answered, () => [...bars(50, 53), windowOpens(at, { closesAt: at + 300 })]);
    expect(tooShort.of('signal.generated')[1]).toMatchObject({ action: 'HOLD', confidence: 0, windowId: WINDOW });
  });

  it('[TRD-2] when the model fails, then signal.error is followed by an honest HOLD for the window', () => {
    const run = drive(
      asked,
      () => [windowOpens(closeOf(49) + 10)],
      (list) => [completed(firstId(list), closeOf(49) + 90, { answer: '{}' })],
    );
    expect(run.emitted.map((one) => one.type)).toEqual(['inference.requested', 'signal.error', 'signal.generated']);
    expect(run.of('signal.generated')).toMatchObject([
      { windowId: WINDOW, action: 'HOLD', confidence: 0, reason: 'no answer from the model (invalid_answer)' },
    ]);
  });

  it('when two windows wait, then each gets its own answer', () => {
    const second = windowOpens(closeOf(49) + 20, { windowId: OTHER_WINDOW });
    const run = drive(
      asked,
      () => [windowOpens(closeOf(49) + 10), second],
      (list) => list.map((one) => completed(one.inferenceId, closeOf(49) + 90)),
    );
    expect(run.of('signal.generated').map((one) => one.windowId)).toEqual([WINDOW, OTHER_WINDOW]);
  });

  it('when it is warming up or without bars, then it has no view and says why', () => {
    expect(drive([...bars(0, 10), windowOpens(closeOf(9) + 10)]).of('signal.generated')).toMatchObject([
      { action: 'HOLD', confidence: 0, reason: 'still warming up: 10 bars so far' },
    ]);
    const silent = drive(asked, answered, () => [windowOpens(closeOf(49) + 4 * MINUTE)]);
    expect(silent.of('signal.generated')[1]).toMatchObject({
      action: 'HOLD',
      confidence: 0,
      reason: 'no bar for too long',
    });
  });

  it('when it opened the window itself or has no vote there, then it does not answer', () => {
    const own = windowOpens(closeOf(49) + 200, { openedBy: 'trading_agent' });
    const foreign = windowOpens(closeOf(49) + 200, { voters: [{ agent: 'chart_agent', weight: 1 }] });
    expect(drive(asked, answered, () => [own, foreign]).of('signal.generated')).toHaveLength(1);
  });
});

describe('given a global halt', () => {
  it('[TRD-3] when bars go on, then it asks and says nothing but keeps watching; when the last halt is lifted, it resumes', () => {
    const halted = [
      ...bars(0, 45),
      halt('halt.raised', closeOf(44)),
      halt('halt.raised', closeOf(44), 'operator'),
      ...bars(45, 80),
    ];
    const during = drive([...halted, windowOpens(closeOf(79)), halt('halt.lifted', closeOf(79)), bar(80)]);
    expect(during.emitted).toEqual([]);
    expect(during.state.source.taken).toBe(81);
    expect(during.state.features?.close).toBe(closeAt(80));
    const after = drive([
      ...halted,
      halt('halt.lifted', closeOf(79)),
      halt('halt.lifted', closeOf(79), 'operator'),
      bar(80),
    ]);
    expect(after.of('inference.requested')).toHaveLength(1);
  });

  it('[TRD-3] when an answer comes during it, then no signal leaves', () => {
    const run = drive(bars(0, 50), (list) => [
      halt('halt.raised', closeOf(49) + 10),
      completed(firstId(list), closeOf(49) + 100),
    ]);
    expect(run.of('signal.generated')).toEqual([]);
    expect(run.state.voter.counts.withheld).toBe(1);
    expect(run.state.pending).toEqual([]);
  });

  it('[TRD-3] when the answer that a window waits for comes during it, then no vote leaves either', () => {
    const run = drive(
      bars(0, 50),
      () => [windowOpens(closeOf(49) + 5), halt('halt.raised', closeOf(49) + 10)],
      (list) => [completed(firstId(list), closeOf(49) + 100)],
    );
    expect(run.of('signal.generated')).toEqual([]);
    expect(run.state.view).toBeNull();
  });

  it('when only a portfolio is halted, then it goes on', () => {
    const portfolio = {
      source: 'risk',
      scope: 'portfolio',
      portfolio: 'main',
      reason: 'drawdown',
      timestamp: closeOf(0),
    } as const;
    const run = drive([bar(0), testEvent('halt.raised', closeOf(0), portfolio), ...bars(1, 50)]);
    expect(run.of('inference.requested')).toHaveLength(1);
  });
});

describe('given a correlation was detected', () => {
  const facts = {
    token: 'BTC',
    coefficient: 0.85,
    threshold: 0.7,
    samples: 50,
    windowMs: 3_600_000,
    direction: 'up',
  } as const;
  const detected = testEvent('correlation.detected', closeOf(49) + 200, { ...facts, timestamp: closeOf(49) + 200 });
  const jump = bar(50, { close: closeAt(49) * 1.002 });

  it('[US5-2] when the price makes a new move in its direction, then the model is asked at once and the signal is raised in confidence and size', () => {
    const run = drive(
      bars(0, 50),
      () => [detected, jump],
      (list) => [completed(lastId(list), closeOf(50) + 50, { answer: JSON.stringify({ ...BUY, confidence: 0.76 }) })],
    );
    expect(run.of('inference.requested')[1]?.prompt).toContain('correlated_move');
    const [signal] = run.of('signal.generated');
    expect(signal).toMatchObject({ action: 'BUY', confidence: 0.95, sizeFactor: 1.375 });
    expect(signal?.context).toMatchObject({ correlation: 0.85, confidenceBeforeCorrelation: 0.76 });
    expect(() => validateData('signal.generated', { event_type: 'signal.generated', ...signal })).not.toThrow();
  });

  it('[US5-2] when the raised view is one that would open nothing by itself, then it is said all the same', () => {
    const weak = JSON.stringify({ ...BUY, score: 60, confidence: 0.55 });
    const answer = (list: EmitData<'inference.requested'>[]) => [
      completed(lastId(list), closeOf(50) + 50, { answer: weak }),
    ];
    const run = drive(bars(0, 50), () => [detected, jump], answer);
    expect(run.of('signal.generated')).toMatchObject([{ action: 'BUY', score: 60, confidence: 0.6875 }]);
    const alone = drive(bars(0, 50), (list) => [completed(lastId(list), closeOf(49) + 50, { answer: weak })]);
    expect(alone.of('signal.generated')).toEqual([]);
  });

  it('[US5-2] when the price does not move on, then confidence and size stay as they were', () => {
    const run = drive(
      bars(0, 50),
      () => [detected, bar(50)],
      (list) => [completed(lastId(list), closeOf(50) + 50)],
    );
    const signals = run.of('signal.generated');
    expect(signals.every((one) => one.sizeFactor === undefined && one.confidence <= 0.8)).toBe(true);
  });
});

describe('the trading agent', () => {
  it('tells the model of the last approved trade', () => {
    const approved = DEFINITIONS['trade.consensus_approved'].example;
    const run = drive([
      bar(0),
      testEvent('trade.consensus_approved', closeOf(0), { ...approved, token: 'BTC' }),
      ...bars(1, 50),
    ]);
    expect(run.of('inference.requested')[0]?.features).toMatchObject({
      lastApproved: approved.recommended_action,
      minutesSinceApproval: 49,
    });
  });

  it('refuses averages in the wrong order', () => {
    expect(() => createTradingAgent({ indicators: { smaFast: 50, smaSlow: 20 } })).toThrow(/smaFast < smaSlow/);
  });

  it('keeps ids out of the state hash', () => {
    const agent = createTradingAgent();
    const run = drive(
      bars(0, 50),
      (list) => [completed(firstId(list), closeOf(49) + 10)],
      () => bars(50, 60),
    );
    expect(JSON.stringify(agent.hashView?.(run.state))).not.toMatch(/[0-9a-f]{8}-[0-9a-f]{4}/);
    expect(run.state.pending).toHaveLength(1);
  });
});

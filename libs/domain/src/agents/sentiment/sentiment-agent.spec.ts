import fc from 'fast-check';
import { DEFINITIONS, type AnyEvent, type EmitData } from '@moon/events';
import { completeConfig } from '../../agent-kit';
import { driveHandler, testEvent } from '../../handler';
import { sentimentAgentConfigSchema, type SentimentAgentConfig } from './config';
import { learn, sentimentView } from './decide';
import { createSentimentAgent } from './sentiment-agent';
import type { SourceMemory } from './state';

const NOW = 1_700_000_000_000;
const HOUR = 3_600_000;
const WINDOW = '5b3f1c52-63a1-5d9c-8f7e-1b8a7a6f0c01';
const config = completeConfig('test', sentimentAgentConfigSchema, {});

type Update = EmitData<'sentiment.update'>;
const reading = (bullish: number, change: Partial<Update> = {}): Update => ({
  token: 'BTC',
  bullish_pct: bullish,
  velocity: 0,
  confidence: 0.8,
  timestamp: NOW,
  source: 'stocktwits',
  ...change,
});
const update = (bullish: number, change: Partial<Update> = {}, headers = {}): AnyEvent => {
  const data = reading(bullish, change);
  return testEvent('sentiment.update', data.timestamp, data, { headers });
};

function viewOf(updates: Update[], at = NOW, given: Partial<SentimentAgentConfig> = {}) {
  const whole = completeConfig('test', sentimentAgentConfigSchema, given);
  const sources: SourceMemory[] = [];
  for (const one of updates) learn(sources, { event_type: 'sentiment.update', ...one }, whole);
  return sentimentView(sources, at, whole);
}
const many = (count: number, bullish: number, change: Partial<Update> = {}) =>
  Array.from({ length: count }, (_, i) => reading(bullish, { ...change, timestamp: NOW + i }));

function windowOpens(at: number): AnyEvent {
  const voters = [{ agent: 'sentiment_agent', weight: 1 }];
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

describe('the view on sentiment', () => {
  it('given bullish readings, then it is BUY, bearish ones SELL, balanced ones a HOLD that dilutes little', () => {
    expect(viewOf(many(3, 85))).toMatchObject({ action: 'BUY' });
    expect(viewOf(many(3, 15))).toMatchObject({ action: 'SELL' });
    const hold = viewOf(many(3, 55));
    expect(hold).toMatchObject({ action: 'HOLD', score: 50 });
    expect(hold.confidence).toBeLessThanOrEqual(0.09);
  });

  it('given a clear lean with evidence, then score and confidence are high enough to carry a consensus', () => {
    const view = viewOf(many(5, 95));
    expect(view.score).toBeGreaterThan(90);
    expect(view.confidence).toBeGreaterThan(0.8);
  });

  it('given nothing was heard, then there is no view', () => {
    expect(viewOf([])).toMatchObject({ action: 'HOLD', confidence: 0, reason: 'no sentiment heard yet' });
  });

  it('fades with age by the half-life of its source and ends when that is stale', () => {
    const at = (hours: number) => viewOf([reading(90)], NOW + hours * HOUR);
    const certainty = (hours: number) => 0.9 * (1 - Math.exp((-0.8 * 2 ** (-hours / 12)) / 0.5));
    for (const hours of [0, 6, 12, 24, 36]) {
      const strength = (0.8 - 0.25) / 0.75;
      expect(at(hours).confidence).toBeCloseTo(certainty(hours) * (0.6 + 0.4 * strength), 10);
    }
    expect(viewOf([reading(90)], NOW + 36 * HOUR + 1)).toMatchObject({
      confidence: 0,
      reason: 'all sentiment sources are stale',
    });
  });

  it('adds a quarter of an hour of velocity, fading within hours', () => {
    const rising = [reading(60, { velocity: 40 })];
    expect(viewOf(rising).action).toBe('BUY');
    expect(viewOf(rising, NOW + 3 * HOUR).action).toBe('HOLD');
    expect(viewOf([reading(60, { velocity: 0 })]).action).toBe('HOLD');
  });

  it('given a talkative source, then it does not drown another one', () => {
    const loud = many(500, 90, { source: 'loud' });
    const views = viewOf([...loud, ...many(10, 10, { source: 'quiet' })], NOW + 500);
    expect(views.action).toBe('HOLD');
  });

  it('given extremes and a contrarian rule, then the view is turned round there and only there', () => {
    const sources = [{ prefix: 'fear', weight: 1, halfLifeMs: HOUR, staleAfterMs: HOUR, contrarianAtExtremes: true }];
    const contrarian = (bullish: number) =>
      viewOf(many(3, bullish, { source: 'fear_greed_index' }), NOW, { sources }).action;
    expect([8, 30, 70, 92].map(contrarian)).toEqual(['BUY', 'SELL', 'BUY', 'SELL']);
  });

  it('given a source that no rule fits, or confidence 0, or an update older than the last, then nothing changes', () => {
    const sources = [{ prefix: 'known', weight: 1, halfLifeMs: HOUR, staleAfterMs: HOUR, contrarianAtExtremes: false }];
    expect(viewOf([reading(90, { source: 'other' })], NOW, { sources }).confidence).toBe(0);
    expect(viewOf([reading(90, { confidence: 0 })]).confidence).toBe(0);
    expect(viewOf([reading(90), reading(10, { timestamp: NOW - 1 })])).toEqual(viewOf([reading(90)]));
  });

  it('given more sources than it remembers, then the one silent longest makes room', () => {
    const sources: SourceMemory[] = [];
    for (let i = 0; i < 60; i++) {
      learn(
        sources,
        { event_type: 'sentiment.update', ...reading(50, { source: `s${i}`, timestamp: NOW + i }) },
        config,
      );
    }
    expect(sources).toHaveLength(50);
    expect(sources[0]?.source).toBe('s10');
  });

  it('property: score and confidence stay in range at any age', () => {
    const one = fc.record({
      bullish: fc.double({ min: 0, max: 100, noNaN: true }),
      velocity: fc.double({ min: -200, max: 200, noNaN: true }),
      confidence: fc.double({ min: 0, max: 1, noNaN: true }),
      source: fc.constantFrom('a', 'b', 'fear_greed_index'),
    });
    fc.assert(
      fc.property(fc.array(one, { maxLength: 20 }), fc.integer({ min: 0, max: 48 }), (readings, hours) => {
        const updates = readings.map(({ bullish, ...rest }) => reading(bullish, rest));
        const view = viewOf(updates, NOW + hours * HOUR);
        expect(view.score).toBeGreaterThanOrEqual(0);
        expect(view.score).toBeLessThanOrEqual(95);
        expect(view.confidence).toBeGreaterThanOrEqual(0);
        expect(view.confidence).toBeLessThanOrEqual(0.9);
      }),
    );
  });
});

describe('the sentiment agent', () => {
  const drive = (events: AnyEvent[]) => driveHandler(createSentimentAgent(), events);

  it('given its view becomes actionable, then it signals once, and answers windows with the same view', () => {
    const updates = [0, 1, 2, 3].map((i) => update(92, { timestamp: NOW + i }));
    const run = drive([...updates, windowOpens(NOW + 1_000)]);
    expect(run.of('signal.generated')).toMatchObject([
      {
        agent: 'sentiment_agent',
        action: 'BUY',
        reason: expect.stringMatching(/^sentiment is bullish: lean 0\.84 .*\(crossed\)$/),
      },
      { agent: 'sentiment_agent', action: 'BUY', windowId: WINDOW },
    ]);
    expect(run.of('signal.generated')[0]?.windowId).toBeUndefined();
  });

  it('given a window and no sentiment, then it answers HOLD with confidence 0', () => {
    expect(drive([windowOpens(NOW)]).of('signal.generated')).toMatchObject([
      { windowId: WINDOW, action: 'HOLD', confidence: 0 },
    ]);
  });

  it('given a warm-up update, then it learns without a word', () => {
    const run = drive([
      ...[0, 1, 2].map((i) => update(92, { timestamp: NOW + i }, { warmup: true })),
      windowOpens(NOW + 10),
    ]);
    expect(run.of('signal.generated')).toMatchObject([{ windowId: WINDOW, action: 'BUY' }]);
  });

  it('given a global halt, then it learns without a word and speaks afterwards', () => {
    const halt = (type: 'halt.raised' | 'halt.lifted', at: number) =>
      testEvent(type, at, { source: 'risk', scope: 'global', reason: 'drawdown', timestamp: at }, { key: 'global' });
    const updates = [1, 2, 3].map((i) => update(92, { timestamp: NOW + i }));
    const halted = [update(50), halt('halt.raised', NOW), ...updates, windowOpens(NOW + 4)];
    expect(drive(halted).emitted).toEqual([]);
    const after = drive([...halted, halt('halt.lifted', NOW + 5), update(95, { timestamp: NOW + 6 })]);
    expect(after.of('signal.generated')).toMatchObject([{ action: 'BUY' }]);
  });
});

import { DEFINITIONS, validateData, type EmitData, type EventEnvelope } from '@moon/events';
import { recordOutbox, testEvent } from '../handler';
import { completeConfig } from './config';
import { applyHalt, type GlobalHalt } from './halts';
import { newOpeningMemory, openingSchema } from './opening';
import { conviction, figure, noView, round } from './view';
import { answerWindow, emitSignal, speakUp, type VoterState } from './voter';

const NOW = 1_700_000_000_000;
const WINDOW = '5b3f1c52-63a1-5d9c-8f7e-1b8a7a6f0c01';
const view = { action: 'BUY', score: 80.12345, confidence: 0.812345, reason: 'because' } as const;

function voter(): VoterState {
  return { halts: [], opening: newOpeningMemory(), counts: { openings: 0, answers: 0, withheld: 0 } };
}

function opened(openedBy: string): EventEnvelope<'consensus.opened'> {
  const data = { ...DEFINITIONS['consensus.opened'].example, windowId: WINDOW, openedBy };
  return testEvent('consensus.opened', NOW, data) as EventEnvelope<'consensus.opened'>;
}

function halt(type: 'halt.raised' | 'halt.lifted', source: string, scope: 'global' | 'portfolio' = 'global') {
  const data = {
    source,
    scope,
    reason: 'drawdown',
    timestamp: NOW,
    ...(scope === 'portfolio' && { portfolio: 'main' }),
  };
  return testEvent(type, NOW, data as EmitData<'halt.raised'>) as EventEnvelope<'halt.raised'>;
}

describe('a voting agent', () => {
  it('answers a window with its id, rounded, as a valid signal', () => {
    const out = recordOutbox(NOW, 'BTC');
    const state = voter();
    answerWindow(opened('chart_agent'), state, out, { agent: 'trading_agent', view });
    const [signal] = out.emitted;
    expect(signal?.data).toEqual({
      token: 'BTC',
      action: 'BUY',
      score: 80.12,
      confidence: 0.8123,
      agent: 'trading_agent',
      windowId: WINDOW,
      reason: 'because',
      timestamp: NOW,
    });
    expect(() => validateData('signal.generated', { event_type: 'signal.generated', ...signal?.data })).not.toThrow();
    expect(state.counts.answers).toBe(1);
  });

  it('does not answer the window that it opened, nor one in which it has no vote', () => {
    const out = recordOutbox(NOW, 'BTC');
    answerWindow(opened('trading_agent'), voter(), out, { agent: 'trading_agent', view });
    answerWindow(opened('chart_agent'), voter(), out, { agent: 'somebody_else', view });
    expect(out.emitted).toEqual([]);
  });

  it('says nothing while a global halt is in force, counts what it withheld, and speaks again afterwards', () => {
    const out = recordOutbox(NOW, 'BTC');
    const state = voter();
    const speech = {
      agent: 'chart_agent',
      config: completeConfig('test', openingSchema, {}),
      explain: () => ({ reason: 'x' }),
    };
    applyHalt(state.halts, halt('halt.raised', 'risk'));
    answerWindow(opened('trading_agent'), state, out, { agent: 'chart_agent', view });
    speakUp(view, state, out, speech);
    expect(out.emitted).toEqual([]);
    expect(state.counts.withheld).toBe(2);
    applyHalt(state.halts, halt('halt.lifted', 'risk') as never);
    speakUp(view, state, out, speech);
    expect(out.emitted).toHaveLength(1);
  });

  it('leaves absent extras out of the data altogether', () => {
    const out = recordOutbox(NOW, 'BTC');
    emitSignal(out, 'chart_agent', noView('nothing'), {});
    expect(Object.keys(out.emitted[0]?.data ?? {}).sort()).toEqual(
      ['action', 'agent', 'confidence', 'reason', 'score', 'timestamp', 'token'].sort(),
    );
  });
});

describe('the set of global halts', () => {
  it('each source lifts only its own; trading needs the set empty; repeats and portfolio halts change nothing', () => {
    const halts: GlobalHalt[] = [];
    applyHalt(halts, halt('halt.raised', 'risk'));
    applyHalt(halts, halt('halt.raised', 'risk'));
    applyHalt(halts, halt('halt.raised', 'operator'));
    applyHalt(halts, halt('halt.raised', 'limits', 'portfolio'));
    expect(halts).toHaveLength(2);
    applyHalt(halts, halt('halt.lifted', 'risk') as never);
    applyHalt(halts, halt('halt.lifted', 'limits') as never);
    expect(halts).toEqual([{ source: 'operator', reason: 'drawdown' }]);
  });
});

describe('figures', () => {
  it('conviction is score × confidence, and none for HOLD', () => {
    expect(conviction({ action: 'SELL', score: 80, confidence: 0.5 })).toBeCloseTo(0.4);
    expect(conviction({ action: 'HOLD', score: 80, confidence: 0.5 })).toBe(0);
  });

  it('a figure has at most 15 significant digits at every size, and stays itself', () => {
    for (const value of [1 / 3, -1 / 3, 98_765.4321 / 3, 1e-7 / 3, 123_456_789 / 7, 0, 0.0123456789012345]) {
      expect(Number(figure(value).toPrecision(15))).toBe(figure(value));
      expect(Math.abs(figure(value) - value)).toBeLessThanOrEqual(Math.max(1e-9, Math.abs(value) * 1e-14));
    }
    expect(Object.is(round(-0.00001, 2), 0)).toBe(true);
  });
});

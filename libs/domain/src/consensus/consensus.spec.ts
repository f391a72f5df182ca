import { recordOutbox, testEvent } from '../handler';
import { createConsensusSaga, failOpenWindowsOnPark } from './consensus';
import { halt, play, signal, T0, TOKEN, windowOf } from './testing';

const opening = signal(0, { agent: 'trading_agent', score: 82, confidence: 0.85 });
const windowId = windowOf(opening);

describe('consensus saga: opening a window', () => {
  it('[US2-1] the first actionable signal opens a 5 s window, is its agent’s vote, and asks every voter', () => {
    const { opened, state, scheduled, outcomes } = play([opening], { until: 0 });
    expect(opened).toEqual([
      {
        token: TOKEN,
        windowId,
        openedBy: 'trading_agent',
        openingSignalId: opening.id,
        closesAt: T0 + 5_000,
        voters: ['trading_agent', 'sentiment_agent', 'funding_agent', 'chart_agent'].map((agent) => ({
          agent,
          weight: 1,
        })),
        threshold: 70,
        minimumAgents: 2,
        timestamp: T0,
      },
    ]);
    expect(scheduled).toEqual([{ name: 'window', at: T0 + 5_000, data: { windowId }, key: TOKEN }]);
    expect(state.window?.votes[0]).toMatchObject({ agent: 'trading_agent', signalId: opening.id });
    expect(outcomes).toEqual([]);
  });

  it.each([
    ['HOLD', signal(0, { agent: 'trading_agent', action: 'HOLD' })],
    ['a signal without confidence', signal(0, { agent: 'trading_agent', confidence: 0 })],
    ['a confidence that could change nothing', signal(0, { agent: 'trading_agent', confidence: 1e-12 })],
    ['an answer', signal(0, { agent: 'trading_agent', windowId })],
    ['a signal of an agent that does not vote', signal(0, { agent: 'liquidation_agent' })],
  ])('%s opens nothing', (_, event) => {
    const { emitted, scheduled } = play([event]);
    expect(emitted).toEqual([]);
    expect(scheduled).toEqual([]);
  });

  it('signals of warm-up open nothing', () => {
    const { emitted, state } = play([{ ...opening, headers: { warmup: true } }]);
    expect(emitted).toEqual([]);
    expect(state.window).toBeNull();
  });
});

describe('consensus saga: voting and deciding', () => {
  it('[US2-1] [US2-3] aggregates the signals of trading, sentiment, funding and chart agents and approves above 70', () => {
    const { approved, failed } = play([
      opening,
      signal(10, { agent: 'chart_agent', score: 80, confidence: 0.8, windowId }),
      signal(20, { agent: 'sentiment_agent', score: 76, confidence: 0.5, windowId }),
      signal(30, { agent: 'funding_agent', action: 'HOLD', score: 0, confidence: 0, windowId }),
    ]);
    const score = (0.85 * 82 + 0.8 * 80 + 0.5 * 76) / (0.85 + 0.8 + 0.5);
    expect(failed).toEqual([]);
    expect(approved).toHaveLength(1);
    expect(approved[0]).toMatchObject({
      token: TOKEN,
      recommended_action: 'BUY',
      contributing_agents: ['trading_agent', 'sentiment_agent', 'chart_agent'],
      windowId,
      sizeFactor: 1,
      timestamp: T0 + 30,
    });
    expect(approved[0]?.consensus_score).toBeCloseTo(score, 10);
    expect(approved[0]?.confidence).toBeCloseTo((0.85 + 0.8 + 0.5) / 3, 10);
  });

  it('[US2-3] fails below the threshold, at the window’s end when an answer is missing', () => {
    const { approved, failed } = play([
      opening,
      signal(10, { agent: 'chart_agent', action: 'SELL', score: 60, confidence: 0.5, windowId }),
      signal(20, { agent: 'sentiment_agent', score: 71, confidence: 0.2, windowId }),
    ]);
    expect(approved).toEqual([]);
    expect(failed).toMatchObject([
      { windowId, reason: 'below_threshold', timestamp: T0 + 5_000, decision: { decidedBecause: 'window_end' } },
    ]);
  });

  it('[US2-3] fails when only one agent is for it', () => {
    const { failed } = play([opening]);
    expect(failed).toMatchObject([{ reason: 'not_enough_agents', decision: { scores: { BUY: 82, SELL: 0 } } }]);
  });

  it('fails with no_confidence when only voters without weight had a view', () => {
    const voters = [
      { agent: 'observer', weight: 0 },
      { agent: 'chart_agent', weight: 1 },
    ];
    const event = signal(0, { agent: 'observer' });
    const { failed } = play([event], { config: { voters, minimumAgents: 1 } });
    expect(failed).toMatchObject([{ reason: 'no_confidence', decision: { scores: { BUY: null, SELL: null } } }]);
  });

  it('decides as soon as no outstanding vote could change it, and cancels the deadline', () => {
    const { approved, pending, cancelled } = play([
      signal(0, { agent: 'trading_agent', score: 100, confidence: 1 }),
      signal(100, { agent: 'chart_agent', score: 95, confidence: 1 }),
      signal(180, { agent: 'sentiment_agent', score: 90, confidence: 1 }),
    ]);
    expect(approved).toMatchObject([
      { timestamp: T0 + 180, decision: { decidedBecause: 'certain', decidedAt: T0 + 180 } },
    ]);
    expect(cancelled).toEqual(['window']);
    expect(pending).toEqual([]);
  });

  it('the deadline of an earlier window does not end a later one', () => {
    const saga = createConsensusSaga({ cooldownMs: 0 });
    const { state } = play([opening], { until: 0 });
    const due = testEvent('deadline.reached', T0 + 5_000, {
      handler: 'saga/consensus',
      handlerKey: TOKEN,
      name: 'window',
      dueAt: T0 + 5_000,
      data: { windowId: windowOf(signal(-9_000, { agent: 'chart_agent' })) },
    });
    const out = recordOutbox(T0 + 5_000, TOKEN);
    saga.handle(due, state, out);
    expect(out.emitted).toEqual([]);
    expect(state.window).not.toBeNull();
  });

  it('a single voter may decide on the opening signal alone', () => {
    const config = { voters: [{ agent: 'trading_agent', weight: 1 }], minimumAgents: 1 };
    const { emitted } = play([opening], { config });
    expect(emitted.map(({ type }) => type)).toEqual(['consensus.opened', 'trade.consensus_approved']);
  });

  it('[US2-2] configured weights decide beside the confidence', () => {
    const events = [opening, signal(5, { agent: 'chart_agent', action: 'SELL', score: 90, confidence: 0.9, windowId })];
    const weighed = (trading: number, chart: number) => ({
      voters: [
        { agent: 'trading_agent', weight: trading },
        { agent: 'chart_agent', weight: chart },
      ],
      minimumAgents: 1,
    });
    expect(play(events, { config: weighed(10, 1) }).approved).toMatchObject([{ recommended_action: 'BUY' }]);
    expect(play(events, { config: weighed(1, 10) }).approved).toMatchObject([{ recommended_action: 'SELL' }]);
    expect(play(events, { config: weighed(1, 1) }).failed).toMatchObject([{ reason: 'below_threshold' }]);
  });

  it('a signal without id during the window is its agent’s vote, a HOLD too', () => {
    const { approved } = play([
      opening,
      signal(10, { agent: 'chart_agent', score: 80, confidence: 0.8 }),
      signal(20, { agent: 'funding_agent', action: 'HOLD', score: 0, confidence: 0.05 }),
    ]);
    expect(approved[0]?.decision.votes.filter((vote) => vote.counted)).toHaveLength(3);
  });

  it('the first vote of an agent is binding; further ones are recorded, uncounted', () => {
    const first = signal(10, { agent: 'chart_agent', action: 'SELL', score: 90, confidence: 0.9, windowId });
    const second = signal(20, { agent: 'chart_agent', score: 99, confidence: 1, windowId });
    const own = signal(30, { agent: 'trading_agent', score: 10, confidence: 1, windowId });
    const { failed } = play([opening, first, second, own]);
    const votes = failed[0]?.decision.votes ?? [];
    expect(votes.find((vote) => vote.signalId === first.id)).toMatchObject({ counted: true, action: 'SELL' });
    expect(votes.find((vote) => vote.signalId === second.id)).toMatchObject({
      counted: false,
      note: 'the agent had voted',
    });
    expect(votes.find((vote) => vote.signalId === own.id)).toMatchObject({ counted: false });
  });

  it('a vote after the window’s end does not count, even when the deadline comes later still', () => {
    const saga = createConsensusSaga();
    const late = signal(5_001, { agent: 'chart_agent', score: 100, confidence: 1, windowId });
    const state = saga.initialState(TOKEN);
    for (const event of [opening, late]) saga.handle(event, state, recordOutbox(event.occurredAt, TOKEN));
    expect(state.window?.votes).toMatchObject([{ signalId: opening.id }, null, null, null]);
    expect(state.window?.uncounted).toMatchObject([{ signalId: late.id, note: 'after the end of the window' }]);
  });

  it('an answer to a decided window is counted in the state and changes nothing', () => {
    const { state, outcomes } = play([
      opening,
      signal(6_000, { agent: 'chart_agent', score: 100, confidence: 1, windowId }),
    ]);
    expect(outcomes).toHaveLength(1);
    expect(state.counts).toMatchObject({ opened: 1, failed: 1, late: 1 });
  });

  it('the size factor is weighted by how much each vote weighs, within its bound', () => {
    const raised = signal(0, { agent: 'trading_agent', score: 90, confidence: 0.9, sizeFactor: 3 });
    const plain = signal(1, { agent: 'chart_agent', score: 90, confidence: 0.3 });
    const expected = (0.9 * 3 + 0.3 * 1) / 1.2;
    expect(play([raised, plain], { config: { maxSizeFactor: 3 } }).approved[0]?.sizeFactor).toBeCloseTo(expected, 12);
    expect(play([raised, plain]).approved[0]?.sizeFactor).toBe(2);
  });
});

describe('consensus saga: the audit trail', () => {
  it('[US2-6] an approval carries inputs, weights, scores, threshold, rule, outcome and the reason for its moment', () => {
    const answer = signal(10, { agent: 'chart_agent', score: 80, confidence: 0.8, windowId });
    const { approved } = play([opening, answer]);
    const decision = approved[0]!.decision;
    const nothing = {
      weight: 1,
      action: 'HOLD',
      confidence: 0,
      score: 0,
      signalId: null,
      counted: false,
      note: 'no answer',
    };
    expect(decision).toEqual({
      rule: expect.stringContaining('w*c*s') as string,
      threshold: 70,
      minimumAgents: 2,
      scores: { BUY: approved[0]?.consensus_score, SELL: 0 },
      votes: [
        {
          agent: 'trading_agent',
          weight: 1,
          action: 'BUY',
          confidence: 0.85,
          score: 82,
          signalId: opening.id,
          counted: true,
        },
        { agent: 'sentiment_agent', ...nothing },
        { agent: 'funding_agent', ...nothing },
        {
          agent: 'chart_agent',
          weight: 1,
          action: 'BUY',
          confidence: 0.8,
          score: 80,
          signalId: answer.id,
          counted: true,
        },
      ],
      decidedBecause: 'window_end',
      openedAt: T0,
      decidedAt: T0 + 5_000,
    });
  });

  it('[US2-6] a failure and a veto carry the same trail, with the votes up to then', () => {
    const answer = signal(10, { agent: 'chart_agent', action: 'SELL', score: 60, confidence: 0.5, windowId });
    const { failed } = play([opening, answer]);
    const { failed: vetoed } = play([opening, answer, halt('halt.raised', 20)]);
    expect(failed[0]?.decision).toEqual({
      ...vetoed[0]?.decision,
      decidedBecause: 'window_end',
      decidedAt: T0 + 5_000,
    });
    expect(vetoed).toMatchObject([{ reason: 'vetoed_halt', decision: { decidedBecause: 'veto', decidedAt: T0 + 20 } }]);
  });

  it('[US2-6] the recorded votes give the recorded scores', () => {
    const { decision } = play([opening, signal(1, { agent: 'chart_agent', score: 77.7, confidence: 0.33 })])
      .approved[0]!;
    const counted = decision.votes.filter((vote) => vote.counted);
    const below = counted.reduce((sum, vote) => sum + vote.weight * vote.confidence, 0);
    const above = counted.reduce((sum, vote) => sum + vote.weight * vote.confidence * vote.score, 0);
    expect(decision.scores.BUY).toBeCloseTo(above / below, 10);
  });

  it('a window in flight keeps the rule it was opened under when the configuration changes', () => {
    const before = play([opening], { until: 0 });
    const answer = signal(10, { agent: 'chart_agent', score: 80, confidence: 0.8, windowId });
    const changed = createConsensusSaga({ threshold: 90, voters: [{ agent: 'x', weight: 1 }], minimumAgents: 1 });
    const out = recordOutbox(T0 + 10, TOKEN);
    changed.handle(answer, before.state, out);
    expect(before.state.window).toMatchObject({ threshold: 70, minimumAgents: 2 });
    expect(before.state.window?.votes[3]).toMatchObject({ signalId: answer.id });
  });
});

describe('consensus saga: cool-down, halts, parking', () => {
  const agreed = [
    signal(0, { agent: 'trading_agent', score: 100, confidence: 1 }),
    signal(1, { agent: 'chart_agent', score: 100, confidence: 1 }),
    signal(2, { agent: 'sentiment_agent', score: 100, confidence: 1 }),
  ];

  it('in the cool-down after an approval an actionable signal opens no window, and that is said', () => {
    const early = signal(30_000, { agent: 'chart_agent' });
    const due = signal(60_002, { agent: 'chart_agent' });
    const { opened, failed, state } = play([...agreed, early, due], { until: 60_002 });
    expect(opened.map((one) => one.windowId)).toEqual([windowOf(agreed[0]!), windowOf(due)]);
    expect(failed).toMatchObject([
      {
        windowId: windowOf(early),
        reason: 'cooldown',
        decision: { decidedBecause: 'cooldown', votes: [{ signalId: early.id, counted: false }] },
      },
    ]);
    expect(state.counts.refused).toBe(1);
  });

  it('a failure starts no cool-down', () => {
    const again = signal(5_001, { agent: 'chart_agent' });
    expect(play([opening, again]).opened).toHaveLength(2);
  });

  it('a global halt fails the open window and lets none open until every source has lifted its own', () => {
    const during = signal(100, { agent: 'chart_agent' });
    const other = {
      ...halt('halt.raised', 60),
      data: { ...halt('halt.raised', 60).data, source: 'operator' },
    } as typeof opening;
    const after = signal(300, { agent: 'chart_agent', score: 81 });
    const events = [
      opening,
      halt('halt.raised', 50),
      other,
      during,
      halt('halt.lifted', 200),
      signal(250, { agent: 'trading_agent' }),
    ];
    const { failed, opened } = play([...events, after]);
    expect(opened).toHaveLength(1);
    expect(failed.map((one) => [one.windowId, one.reason])).toEqual([
      [windowId, 'vetoed_halt'],
      [windowOf(during), 'vetoed_halt'],
      [windowOf(events[5]!), 'vetoed_halt'],
      [windowOf(after), 'vetoed_halt'],
    ]);
    const lifted = {
      ...other,
      type: 'halt.lifted',
      occurredAt: T0 + 70,
      data: { ...other.data, event_type: 'halt.lifted' },
    };
    const free = play([halt('halt.raised', 50), halt('halt.lifted', 60), other, lifted as typeof opening, after], {
      until: 400,
    });
    expect(free.opened).toHaveLength(1);
  });

  it('the halt of a portfolio is none of its business', () => {
    const { opened, outcomes } = play([halt('halt.raised', 0, 'portfolio'), signal(1, { agent: 'chart_agent' })], {
      until: 2,
    });
    expect(opened).toHaveLength(1);
    expect(outcomes).toEqual([]);
  });

  it('parking the key fails the open window once, and nothing that was waiting decides it again', () => {
    const saga = createConsensusSaga();
    const { state } = play([opening], { until: 0 });
    const out = recordOutbox(T0 + 7, TOKEN);
    failOpenWindowsOnPark(state, out);
    failOpenWindowsOnPark(state, out);
    expect(out.emitted).toMatchObject([
      { type: 'signal.consensus_failed', data: { windowId, reason: 'parked', decision: { decidedBecause: 'parked' } } },
    ]);
    const late = recordOutbox(T0 + 5_000, TOKEN);
    saga.handle(signal(8, { agent: 'chart_agent', windowId }), state, late);
    expect(late.emitted).toEqual([]);
  });

  it('what comes twice decides nothing twice', () => {
    const answers = [
      signal(10, { agent: 'chart_agent', windowId }),
      signal(20, { agent: 'sentiment_agent', windowId }),
    ];
    const once = play([opening, ...answers]);
    const twice = play([opening, opening, ...answers, ...answers, opening]);
    expect(twice.emitted).toEqual(once.emitted);
    const afterwards = play([opening, ...answers, { ...opening, occurredAt: T0 + 6_000 }], {
      config: { cooldownMs: 0 },
    });
    expect(afterwards.emitted).toEqual(once.emitted);
  });
});

describe('consensus saga: configuration', () => {
  it.each([
    [{ threshold: 49.9 }, /threshold/],
    [{ threshold: 100 }, /threshold/],
    [{ minimumAgents: 5 }, /only 4 voters/],
    [{ voters: [1, 1].map((weight) => ({ agent: 'chart_agent', weight })) }, /"chart_agent" twice/],
    [{ voters: [{ agent: 'chart_agent', weight: 1e-9 }], minimumAgents: 1 }, /weight/],
    [{ windowMs: 0 }, /windowMs/],
  ])('%j is refused', (config, message) => {
    expect(() => createConsensusSaga(config)).toThrow(message);
  });

  it('the state hash sees votes and halts, and no ids', () => {
    const saga = createConsensusSaga();
    const { state } = play([opening], { until: 0 });
    const view = JSON.stringify(saga.hashView?.(state));
    expect(view).toContain('"confidence":0.85');
    expect(view).not.toContain(opening.id);
    expect(view).not.toContain(windowId);
    expect(JSON.stringify(saga.hashView?.(play([opening]).state))).not.toContain(windowId);
  });
});

import fc from 'fast-check';
import type { AnyEvent } from '@moon/events';
import { halt, play, signal, windowOf, type Played } from './testing';

const AGENTS = ['trading_agent', 'sentiment_agent', 'funding_agent', 'chart_agent'];
const confidence = fc.integer({ min: 0, max: 20 }).map((n) => n / 20);
const score = fc.integer({ min: 0, max: 100 });
const action = fc.constantFrom('BUY' as const, 'SELL' as const, 'HOLD' as const);
const view = fc.record({ action, confidence, score });
const firm = fc.record({
  action: fc.constantFrom('BUY' as const, 'SELL' as const),
  confidence: fc.integer({ min: 1, max: 20 }).map((n) => n / 20),
  score,
});
/** Votes that agree often enough for approvals to be as frequent as failures. */
const bullish = fc.record({
  action: fc.constantFrom('BUY' as const, 'BUY' as const, 'HOLD' as const),
  confidence,
  score: fc.integer({ min: 55, max: 100 }),
});

/** Outcome of a window in the sense of rule 24: what was decided, not the score, not the ids. */
const outcomesOf = ({ approved, failed }: Played): unknown[] => [
  ...approved.map((one) => ['approved', one.recommended_action]),
  ...failed.map((one) => ['failed', one.reason]),
];

const orders = fc.shuffledSubarray([0, 1, 2], { minLength: 3, maxLength: 3 });
const config = fc.record({
  threshold: fc.constantFrom(50, 60, 70, 80),
  minimumAgents: fc.integer({ min: 1, max: 4 }),
  voters: fc
    .tuple(...AGENTS.map(() => fc.constantFrom(0.5, 1, 1, 2)))
    .map((weights) => AGENTS.map((agent, index) => ({ agent, weight: weights[index]! }))),
});

describe('consensus saga, for any votes', () => {
  it('[US2-3] the outcome does not depend on the order of the answers', () => {
    const answers = fc.array(fc.oneof(view, bullish), { minLength: 3, maxLength: 3 });
    fc.assert(
      fc.property(firm, answers, orders, config, (first, rest, order, given) => {
        const opening = signal(0, { agent: AGENTS[0]!, ...first });
        const windowId = windowOf(opening);
        const inOrder = (positions: readonly number[]): AnyEvent[] =>
          positions.map((which, at) => signal(at + 1, { agent: AGENTS[which + 1]!, windowId, ...rest[which]! }));
        const one = play([opening, ...inOrder([0, 1, 2])], { config: given });
        const other = play([opening, ...inOrder(order)], { config: given });
        expect(outcomesOf(other)).toEqual(outcomesOf(one));
      }),
      { numRuns: 300 },
    );
  });

  it('[US2-3] nor on which of the agents spoke first, when each had something to say', () => {
    const votes = fc.array(firm, { minLength: 3, maxLength: 3 });
    fc.assert(
      fc.property(votes, orders, config, (all, order, given) => {
        const spoken = (positions: readonly number[]): AnyEvent[] =>
          positions.map((which, at) => signal(at, { agent: AGENTS[which]!, ...all[which]! }));
        const one = play(spoken([0, 1, 2]), { config: { ...given, cooldownMs: 0 } });
        const other = play(spoken(order), { config: { ...given, cooldownMs: 0 } });
        // A window decided early leaves signals that may open the next one; the first window is the one in question.
        const first = ({ opened, outcomes }: Played): unknown => {
          const decided = outcomes.find((outcome) => outcome.windowId === opened[0]?.windowId);
          return decided && ('reason' in decided ? decided.reason : decided.recommended_action);
        };
        expect(first(other)).toEqual(first(one));
      }),
      { numRuns: 200 },
    );
  });

  const happening = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        what: fc.constant('signal' as const),
        agent: fc.nat({ max: 5 }),
        view,
        answer: fc.nat({ max: 3 }),
      }),
    },
    { weight: 1, arbitrary: fc.record({ what: fc.constantFrom('halt.raised' as const, 'halt.lifted' as const) }) },
  );
  const history = fc.array(fc.tuple(happening, fc.nat({ max: 3_000 }), fc.integer({ min: 1, max: 2 })), {
    maxLength: 30,
  });

  it('[US2-6] every window has exactly one outcome, in any history of signals, answers, repeats and halts', () => {
    fc.assert(
      fc.property(history, fc.constantFrom(0, 5_000), (steps, cooldownMs) => {
        const played = play(eventsOf(steps), { config: { cooldownMs } });
        const ids = played.outcomes.map((outcome) => outcome.windowId);
        expect(new Set(ids).size).toBe(ids.length);
        for (const { windowId } of played.opened) expect(ids).toContain(windowId);
        const openings = new Set(played.opened.map(({ windowId }) => windowId));
        for (const failure of played.failed)
          expect(openings.has(failure.windowId) || ['cooldown', 'vetoed_halt'].includes(failure.reason)).toBe(true);
        for (const approval of played.approved) expect(openings.has(approval.windowId)).toBe(true);
        expect(played.state.window).toBeNull();
        expect(played.pending).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });

  it('delivering every event twice changes nothing', () => {
    fc.assert(
      fc.property(history, (steps) => {
        const events = eventsOf(steps).filter(({ type }) => type === 'signal.generated');
        const once = play(events);
        const twice = play(events.flatMap((event) => [event, event]));
        expect(twice.emitted).toEqual(once.emitted);
      }),
      { numRuns: 200 },
    );
  });

  it('no approval is given under a global halt', () => {
    fc.assert(
      fc.property(history, (steps) => {
        const halted = play([halt('halt.raised', -1), ...eventsOf(steps).filter(({ type }) => type !== 'halt.lifted')]);
        expect(halted.approved).toEqual([]);
        expect(halted.opened).toEqual([]);
      }),
      { numRuns: 100 },
    );
  });
});

type Step = [
  (
    | {
        what: 'signal';
        agent: number;
        view: { action: 'BUY' | 'SELL' | 'HOLD'; confidence: number; score: number };
        answer: number;
      }
    | { what: 'halt.raised' | 'halt.lifted' }
  ),
  number,
  number,
];

/** Signals answer nothing, an earlier signal's window, or a window that never was; some come twice. */
function eventsOf(steps: readonly Step[]): AnyEvent[] {
  const events: AnyEvent[] = [];
  const signals: AnyEvent[] = [];
  let at = 0;
  for (const [step, gap, times] of steps) {
    at += gap;
    if (step.what !== 'signal') {
      events.push(halt(step.what, at));
      continue;
    }
    const asked = step.answer > 0 ? signals[signals.length - step.answer] : undefined;
    const agent = AGENTS[step.agent] ?? `stranger-${step.agent}`;
    const event = signal(at, { agent, ...step.view, ...(asked && { windowId: windowOf(asked) }) });
    if (!asked) signals.push(event);
    for (let count = 0; count < times; count += 1) events.push(event);
  }
  return events;
}

import fc from 'fast-check';
import { certainVerdict, finalVerdict, score, type Ballot, type Ballots, type Rule, type Verdict } from './verdict';

const rule = (fields: Partial<Rule> = {}): Rule => ({
  voters: ['trading_agent', 'sentiment_agent', 'funding_agent', 'chart_agent'].map((agent) => ({ agent, weight: 1 })),
  threshold: 70,
  minimumAgents: 2,
  ...fields,
});
const buy = (confidence: number, strength: number): Ballot => ({ action: 'BUY', confidence, score: strength });
const sell = (confidence: number, strength: number): Ballot => ({ action: 'SELL', confidence, score: strength });
const hold = (confidence: number): Ballot => ({ action: 'HOLD', confidence, score: 50 });

const action = fc.constantFrom('BUY' as const, 'SELL' as const, 'HOLD' as const);
const hundredths = (most: number): fc.Arbitrary<number> => fc.integer({ min: 0, max: most * 100 }).map((n) => n / 100);
const ballot = fc.record({ action, confidence: hundredths(1), score: hundredths(100) });

/** A grid of votes that holds both ends of every range: what a voter can do to a decision at most is on it. */
const gridBallot = fc.record({
  action,
  confidence: fc.constantFrom(0, 0.1, 0.5, 1),
  score: fc.constantFrom(0, 30, 50, 70, 71, 100),
});
const anyRule = fc
  .record({
    weights: fc.array(fc.constantFrom(0, 0.5, 1, 1, 2, 8), { minLength: 1, maxLength: 4 }),
    threshold: fc.constantFrom(50, 60, 70, 85),
    minimumAgents: fc.integer({ min: 1, max: 3 }),
  })
  .map(({ weights, ...rest }): Rule => ({
    voters: weights.map((weight, index) => ({ agent: `agent-${index}`, weight })),
    ...rest,
  }));
const ruleAndBallots = (one: fc.Arbitrary<Ballot>): fc.Arbitrary<[Rule, Ballot[]]> =>
  anyRule.chain((given) => {
    const size = given.voters.length;
    return fc.tuple(fc.constant(given), fc.array(one, { minLength: size, maxLength: size }));
  });

describe('score of an action', () => {
  it('[US2-2] is the mean of the votes for it, weighted by weight × confidence, over the confidence of all votes', () => {
    const given = rule({ voters: [1, 2, 1, 0.5].map((weight, index) => ({ agent: `a${index}`, weight })) });
    const ballots = [buy(0.9, 80), buy(0.5, 90), hold(0.4), sell(1, 60)];
    const all = 0.9 + 2 * 0.5 + 0.4 + 0.5;
    expect(score(given, ballots, 'BUY')).toBeCloseTo((0.9 * 80 + 2 * 0.5 * 90) / all, 12);
    expect(score(given, ballots, 'SELL')).toBeCloseTo((0.5 * 60) / all, 12);
  });

  it('[US2-2] HOLD dilutes, a vote without confidence does not, and nobody with confidence gives no score', () => {
    expect(score(rule(), [buy(1, 80), null, null, null], 'BUY')).toBe(80);
    expect(score(rule(), [buy(1, 80), hold(1), null, null], 'BUY')).toBe(40);
    expect(score(rule(), [buy(1, 80), hold(0), null, null], 'BUY')).toBe(80);
    expect(score(rule(), [hold(0), hold(0), hold(0), hold(0)], 'BUY')).toBeNull();
  });

  it('[US2-2] rises with the confidence of a voter for the action exactly when its score exceeds the score', () => {
    const raised = ruleAndBallots(ballot).chain(([given, ballots]) =>
      fc.tuple(fc.constant(given), fc.constant(ballots), fc.nat({ max: ballots.length - 1 }), hundredths(1)),
    );
    fc.assert(
      fc.property(
        raised,
        fc.constantFrom('BUY' as const, 'SELL' as const),
        ([given, ballots, index, to], direction) => {
          const voter = ballots[index]!;
          const before = score(given, ballots, direction);
          fc.pre(before !== null && to > voter.confidence && given.voters[index]!.weight > 0);
          const more = ballots.map((one, at) => (at === index ? { ...one, confidence: to } : one));
          const after = score(given, more, direction)!;
          // Equal up to the last of the 15 digits that a score has.
          const same = Math.abs(after - before!) < 1e-9;
          if (voter.action === direction && voter.score - before! > 1e-6) expect(after).toBeGreaterThan(before!);
          else expect(same || after < before!).toBe(true);
        },
      ),
      { numRuns: 2_000 },
    );
  });
});

describe('verdict on all votes', () => {
  it('[US2-3] approves strictly above the threshold only, also where float64 rounds the other way', () => {
    expect(finalVerdict(rule(), [buy(1, 70), buy(1, 70.01), null, null])).toEqual({
      outcome: 'approved',
      action: 'BUY',
    });
    expect(finalVerdict(rule(), [buy(0.1, 70), buy(0.2, 70), null, null])).toEqual({
      outcome: 'failed',
      reason: 'below_threshold',
    });
    expect(finalVerdict(rule(), [buy(0.7, 60.1), buy(0.7, 79.9), null, null])).toMatchObject({ outcome: 'failed' });
  });

  it('[US2-3] fails with not_enough_agents when too few weigh for the action; a vote without confidence does not weigh', () => {
    const failed = { outcome: 'failed', reason: 'not_enough_agents' };
    expect(finalVerdict(rule(), [buy(1, 90), null, null, null])).toEqual(failed);
    expect(finalVerdict(rule(), [buy(1, 90), buy(0, 90), hold(0), null])).toEqual(failed);
    const idle = rule({ voters: [1, 0].map((weight, index) => ({ agent: `a${index}`, weight })) });
    expect(finalVerdict(idle, [buy(1, 90), buy(1, 90)])).toEqual(failed);
  });

  it('[US2-3] fails with no_confidence when the denominator is 0', () => {
    const failed = { outcome: 'failed', reason: 'no_confidence' };
    expect(finalVerdict(rule(), [hold(0), buy(0, 100), null, null])).toEqual(failed);
    expect(finalVerdict(rule(), [null, null, null, null])).toEqual(failed);
  });

  it('never finds BUY and SELL above the threshold at once', () => {
    fc.assert(
      fc.property(ruleAndBallots(gridBallot), ([given, ballots]) => {
        const high = [score(given, ballots, 'BUY'), score(given, ballots, 'SELL')].filter(
          (value) => value !== null && value > given.threshold,
        );
        expect(high.length).toBeLessThanOrEqual(1);
      }),
      { numRuns: 1_000 },
    );
  });

  it('[US2-2] follows the score: approved exactly when it is above the threshold with enough voters that weigh', () => {
    fc.assert(
      fc.property(ruleAndBallots(ballot), ([given, ballots]) => {
        const verdict = finalVerdict(given, ballots);
        const winner = (['BUY', 'SELL'] as const).find(
          (direction) => (score(given, ballots, direction) ?? 0) > given.threshold,
        );
        const weighing = ballots.filter((one, index) => {
          return one.action === winner && one.confidence * given.voters[index]!.weight > 0;
        });
        const isApproved = winner !== undefined && weighing.length >= given.minimumAgents;
        if (isApproved) expect(verdict).toEqual({ outcome: 'approved', action: winner });
        else expect(verdict.outcome).toBe('failed');
      }),
      { numRuns: 2_000 },
    );
  });
});

/** Every verdict that the outstanding voters can still bring about with votes of the grid, or by staying away. */
function reachable(given: Rule, ballots: Ballots): Verdict[] {
  const grid: (Ballot | null)[] = [null];
  for (const one of ['BUY', 'SELL', 'HOLD'] as const)
    for (const confidence of [0, 0.1, 0.5, 1])
      for (const strength of [0, 69, 71, 100]) grid.push({ action: one, confidence, score: strength });
  const open = given.voters.map((_, index) => index).filter((index) => ballots[index] === null);
  let completions: (Ballot | null)[][] = [[...ballots]];
  for (const index of open)
    completions = completions.flatMap((whole) =>
      grid.map((vote) => whole.map((other, at) => (at === index ? vote : other))),
    );
  const verdicts = completions.map((whole) => JSON.stringify(finalVerdict(given, whole)));
  return [...new Set(verdicts)].map((text) => JSON.parse(text) as Verdict);
}

describe('verdict as soon as it is certain', () => {
  const partial = ruleAndBallots(gridBallot).chain(([given, ballots]) =>
    fc.tuple(
      fc.constant(given),
      fc
        .array(fc.nat({ max: ballots.length - 1 }), { maxLength: 2 })
        .map((open): (Ballot | null)[] => ballots.map((one, index) => (open.includes(index) ? null : one))),
    ),
  );

  it('[US2-3] speaks exactly when brute force over every possible vote finds one verdict only', () => {
    fc.assert(
      fc.property(partial, ([given, ballots]) => {
        const verdicts = reachable(given, ballots);
        expect(certainVerdict(given, ballots)).toEqual(verdicts.length === 1 ? verdicts[0] : null);
      }),
      { numRuns: 400 },
    );
  });

  it('approves before the last vote when even a confident HOLD could not bring the score down to the threshold', () => {
    const three = [buy(1, 100), buy(1, 95), buy(1, 90), null];
    expect(certainVerdict(rule(), three)).toEqual({ outcome: 'approved', action: 'BUY' });
    expect(certainVerdict(rule(), [buy(1, 90), buy(1, 90), buy(1, 90), null])).toBeNull();
  });

  it('fails before the last vote when even a certain 100 could not lift the score above the threshold', () => {
    const failed = { outcome: 'failed', reason: 'below_threshold' };
    expect(certainVerdict(rule(), [buy(1, 60), hold(1), hold(1), null])).toEqual(failed);
    expect(certainVerdict(rule(), [buy(1, 40), null, hold(0), hold(0)])).toEqual(failed);
    expect(certainVerdict(rule(), [buy(1, 41), null, hold(0), hold(0)])).toBeNull();
  });

  it('knows when enough agents can still come together, and when not', () => {
    const heavy = rule({ voters: [8, 1, 1].map((weight, index) => ({ agent: `a${index}`, weight })) });
    expect(certainVerdict(heavy, [buy(1, 100), null, null])).toBeNull();
    expect(certainVerdict(heavy, [buy(1, 100), hold(1), null])).toBeNull();
    expect(certainVerdict({ ...heavy, minimumAgents: 3 }, [buy(1, 100), hold(1), null])).toEqual({
      outcome: 'failed',
      reason: 'not_enough_agents',
    });
  });

  it('waits for no voter without weight', () => {
    const given = rule({ voters: [1, 1, 0].map((weight, index) => ({ agent: `a${index}`, weight })) });
    expect(certainVerdict(given, [buy(1, 80), buy(1, 80), null])).toEqual({ outcome: 'approved', action: 'BUY' });
  });
});

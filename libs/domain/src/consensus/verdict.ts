import { num15 } from '../money';
import { exactSign, type Term } from './exact-sign';

/** An action that can be approved. */
export type Direction = 'BUY' | 'SELL';
export const DIRECTIONS: readonly Direction[] = ['BUY', 'SELL'];

/** What one voter said: score 0–100, confidence 0–1. */
export interface Ballot {
  action: Direction | 'HOLD';
  confidence: number;
  score: number;
}

/** The rule that a window is decided by; fixed when it opens. */
export interface Rule {
  voters: { agent: string; weight: number }[];
  threshold: number;
  minimumAgents: number;
}

/** One ballot per voter of the rule, in the rule's order; null = no vote (yet). */
export type Ballots = readonly (Ballot | null)[];

export type Verdict =
  | { outcome: 'approved'; action: Direction }
  | { outcome: 'failed'; reason: 'below_threshold' | 'not_enough_agents' | 'no_confidence' };

/** The rule in words, as every decision carries it. */
export const RULE_TEXT =
  'weighted-mean/1: score(A) = sum of w*c*s over votes for A / sum of w*c over all votes; ' +
  'approved when score(A) > threshold and at least minimumAgents votes for A have w*c > 0';

const HIGHEST_SCORE = 100;

/**
 * score(A) = Σ over votes for A of w·c·s ÷ Σ over all votes of w·c, with w the voter's weight, c its confidence (0–1)
 * and s its score (0–100). HOLD counts below the line only: it dilutes. Rounded to 15 significant digits for display;
 * the verdict compares exactly. Null when nobody who voted has both weight and confidence.
 */
export function score(rule: Rule, ballots: Ballots, action: Direction): number | null {
  let above = 0;
  let below = 0;
  rule.voters.forEach(({ weight }, index) => {
    const ballot = ballots[index];
    if (!ballot) return;
    below += weight * ballot.confidence;
    if (ballot.action === action) above += weight * ballot.confidence * ballot.score;
  });
  return below > 0 ? num15(Math.min(HIGHEST_SCORE, above / below)) : null;
}

/** The verdict on the votes that were cast; voters without a ballot have no part in it. */
export function finalVerdict(rule: Rule, ballots: Ballots): Verdict {
  if (!hasConfidence(rule, ballots)) return { outcome: 'failed', reason: 'no_confidence' };
  const action = DIRECTIONS.find((direction) => exceeds(rule, ballots, direction, 'absent'));
  if (action === undefined) return { outcome: 'failed', reason: 'below_threshold' };
  if (supporters(rule, ballots, action) < rule.minimumAgents) return { outcome: 'failed', reason: 'not_enough_agents' };
  return { outcome: 'approved', action };
}

/**
 * The verdict, if no vote that is still outstanding could change it; else null. Verdict means all of it: approved or
 * failed, the action, the reason. So it does not depend on the order of the votes: whenever this function speaks,
 * every order of the same votes ends with the same verdict.
 *
 * **Proof.** T is the threshold, k the minimum of agents. Let margin(A) = Σ over all votes of w·c·(s·[vote is A] − T).
 * With D = Σ w·c > 0, score(A) > T exactly when margin(A) > 0; with D = 0 both margins are 0. As T ≥ 50 and s ≤ 100,
 * margin(BUY) + margin(SELL) ≤ (100 − 2T)·D ≤ 0: at most one margin is above 0.
 * An outstanding voter of weight w adds between −w·T (a HOLD with c = 1) and w·(100 − T) (for A, c = 1, s = 100) to
 * margin(A), both attained; the same vote that adds most also makes it a supporter of A. An absent voter adds what a
 * vote with c = 0 adds: nothing. A voter of weight 0 adds nothing and supports nobody. Write low(A) and high(A) for the
 * sums with every outstanding voter at its bound, and let `open` be the number of outstanding voters with weight.
 * 1. open = 0: nothing can change any more.
 * 2. low(A) > 0: A is above the threshold however they vote, and the other action is not.
 *    a. at least k supporters already: approved. b. fewer than k even with all outstanding ones: not_enough_agents.
 *    c. else both happen: all HOLD gives (b), all for A gives (a): open.
 * 3. high(BUY) ≤ 0 and high(SELL) ≤ 0: below_threshold however they vote. (D > 0 is sure: with D = 0 high(A) would be
 *    Σ w·(100 − T) > 0.)
 * 4. Otherwise it is open: no low(A) > 0, but some high(A) > 0. All outstanding voters on HOLD with c = 1 put both margins
 *    at their lows, not above 0: below_threshold. All of them for that A with c = 1 and s = 100 give approved or
 *    not_enough_agents.
 * Cases 1–4 are complete, so the function speaks exactly as soon as the verdict is certain.
 */
export function certainVerdict(rule: Rule, ballots: Ballots): Verdict | null {
  const open = rule.voters.filter(({ weight }, index) => weight > 0 && !ballots[index]).length;
  if (open === 0) return finalVerdict(rule, ballots);
  const winner = DIRECTIONS.find((direction) => exceeds(rule, ballots, direction, 'against'));
  if (winner !== undefined) {
    const sure = supporters(rule, ballots, winner);
    if (sure >= rule.minimumAgents) return { outcome: 'approved', action: winner };
    return sure + open < rule.minimumAgents ? { outcome: 'failed', reason: 'not_enough_agents' } : null;
  }
  const isHopeless = DIRECTIONS.every((direction) => !exceeds(rule, ballots, direction, 'for'));
  return isHopeless ? { outcome: 'failed', reason: 'below_threshold' } : null;
}

/** The indices of the voters that weigh for an action: weight and confidence above 0. */
export function supporterIndices(rule: Rule, ballots: Ballots, action: Direction): number[] {
  const indices: number[] = [];
  for (let index = 0; index < rule.voters.length; index += 1) {
    const ballot = ballots[index];
    const weight = rule.voters[index]?.weight ?? 0;
    if (ballot && ballot.action === action && ballot.confidence > 0 && weight > 0) indices.push(index);
  }
  return indices;
}

function supporters(rule: Rule, ballots: Ballots, action: Direction): number {
  return supporterIndices(rule, ballots, action).length;
}

function hasConfidence(rule: Rule, ballots: Ballots): boolean {
  return rule.voters.some(({ weight }, index) => weight > 0 && (ballots[index]?.confidence ?? 0) > 0);
}

/** Whether score(A) > threshold, with the outstanding voters absent, or all of them at the bound for or against A. */
function exceeds(rule: Rule, ballots: Ballots, action: Direction, outstanding: 'absent' | 'for' | 'against'): boolean {
  const terms: Term[] = [];
  rule.voters.forEach(({ weight }, index) => {
    const ballot = ballots[index];
    const minus = rule.threshold;
    if (ballot) {
      const plus = ballot.action === action ? ballot.score : 0;
      terms.push({ factor: weight, share: ballot.confidence, plus, minus });
    } else if (outstanding !== 'absent') {
      terms.push({ factor: weight, share: 1, plus: outstanding === 'for' ? HIGHEST_SCORE : 0, minus });
    }
  });
  return exactSign(terms) > 0;
}

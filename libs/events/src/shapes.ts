import { Type } from '@sinclair/typebox';
import type { Static } from '@sinclair/typebox';
import {
  about,
  Action,
  Bool,
  Dec,
  DecNonNeg,
  DecPos,
  HaltScope,
  InstrumentId,
  IntNonNeg,
  IntPos,
  ListOf,
  Ms,
  Nullable,
  Num,
  NumNonNeg,
  NumPos,
  OneOf,
  Optional,
  Percent,
  PositionSide,
  Px,
  Shape,
  Share,
  Str,
  Text,
  Token,
  Uuid,
} from './fields';

/** Nested shapes that several event types share. */

const numberOrTextOrNull = Type.Unsafe<number | string | null>({ freeForm: 'scalar' });

/** One breached limit with the value that was found and the bound that it broke. */
export const breachSchema = Shape({
  code: about(Str, 'Code of the limit, e.g. max_leverage.'),
  message: Text,
  value: about(numberOrTextOrNull, 'What was found.'),
  bound: about(numberOrTextOrNull, 'What is allowed.'),
});
export type Breach = Static<typeof breachSchema>;

export const voteSchema = Shape({
  agent: Str,
  weight: about(NumNonNeg, 'Configured weight of the voter.'),
  action: Action,
  confidence: Share,
  score: Percent,
  signalId: about(Nullable(Uuid), 'The signal that is the vote; null when the agent never answered.'),
  counted: about(Bool, 'False: recorded only (late, second vote, not a voter).'),
  note: Optional(Str),
});
export type Vote = Static<typeof voteSchema>;

/** The audit trail of one consensus decision (US2-6). */
export const decisionSchema = Shape({
  rule: about(Str, 'Name of the scoring rule.'),
  threshold: Percent,
  minimumAgents: IntNonNeg,
  scores: Shape({ BUY: Nullable(Percent), SELL: Nullable(Percent) }),
  votes: ListOf(voteSchema),
  decidedBecause: OneOf('certain', 'window_end', 'veto', 'parked', 'cooldown'),
  openedAt: Ms,
  decidedAt: Ms,
});
export type Decision = Static<typeof decisionSchema>;

/** What a portfolio trades on. An agent that is listed trades directly and then not through consensus as well. */
export const subscriptionsSchema = Shape({
  consensus: about(Bool, 'True: approvals of the consensus saga are routed to this portfolio.'),
  agents: about(ListOf(Str), 'Agents whose signals trade directly.'),
  instruments: about(ListOf(Str), 'Instruments that may be traded; empty = all of the portfolio.'),
});
export type Subscriptions = Static<typeof subscriptionsSchema>;

export const sizingSchema = Type.Unsafe<
  { mode: 'fraction'; fraction: number; scaleByConfidence: boolean } | { mode: 'target'; quantity: string }
>({
  type: 'object',
  discriminator: { propertyName: 'mode' },
  required: ['mode'],
  oneOf: [
    Shape({
      mode: Type.Literal('fraction'),
      fraction: about(NumPos, 'Share of the portfolio value per order; above 1 with leverage.'),
      scaleByConfidence: Bool,
    }),
    Shape({ mode: Type.Literal('target'), quantity: about(Dec, 'Signed target position.') }),
  ],
});
export type Sizing = Static<typeof sizingSchema>;

/** Prices move on a fixed tick, or (HyperLiquid) by significant figures and a cap on decimals. */
export const priceRuleSchema = Type.Unsafe<
  { mode: 'tick'; tick: string } | { mode: 'significant'; figures: number; maxDecimals: number }
>({
  type: 'object',
  discriminator: { propertyName: 'mode' },
  required: ['mode'],
  oneOf: [
    Shape({ mode: Type.Literal('tick'), tick: DecPos }),
    Shape({ mode: Type.Literal('significant'), figures: IntPos, maxDecimals: IntNonNeg }),
  ],
});
export type PriceRule = Static<typeof priceRuleSchema>;

export const marginTierSchema = Shape({
  notionalFloor: about(DecNonNeg, 'The tier applies from this position notional on, in settlement asset.'),
  maxLeverage: NumPos,
  maintenanceRate: about(Share, 'Share of the notional that must remain as margin.'),
  maintenanceDeduction: about(DecNonNeg, 'Amount taken off, so that the requirement is continuous across tiers.'),
});
export type MarginTier = Static<typeof marginTierSchema>;

/** Most levels of one side in one event; sources show up to 1,000, and a change of more is possible after a pause. */
export const BOOK_LEVELS = 5_000;

export const bookLevelSchema = Shape({
  price: Px,
  size: about(NumNonNeg, 'Size at this price, in the unit of the instrument.'),
});

export const haltSchema = Shape({ source: Str, scope: HaltScope, reason: Str });
export type Halt = Static<typeof haltSchema>;

/** A position as a snapshot shows it: numbers for display, the quantity exact. */
export const positionViewSchema = Shape({
  token: Token,
  instrument: InstrumentId,
  side: PositionSide,
  quantity: about(DecPos, 'Size of the position, without sign.'),
  entryPrice: about(Px, 'Average entry price.'),
  mark: about(Nullable(Px), 'The mark that values the position; null when none is known.'),
  notional: about(NumNonNeg, '|quantity| × mark × multiplier, in settlement asset.'),
  unrealisedPnl: Num,
  liquidationPrice: Nullable(Px),
  distance: about(Nullable(NumNonNeg), '|mark − liquidation price| ÷ mark.'),
});
export type PositionView = Static<typeof positionViewSchema>;

import { Type, type Static } from '@sinclair/typebox';
import { conviction, type Action, type Opinion } from './view';

/** When an agent speaks without being asked. A window's question is always answered; this bounds only what opens one. */
export const openingSchema = Type.Object(
  {
    minScore: Type.Number({
      default: 70,
      minimum: 0,
      maximum: 100,
      description: 'Lowest score (0–100) at which a view is worth opening a consensus window.',
    }),
    minConfidence: Type.Number({
      default: 0.6,
      minimum: 0,
      maximum: 1,
      description: 'Lowest confidence (0–1) at which a view is worth opening a consensus window.',
    }),
    minIntervalMs: Type.Integer({
      default: 900_000,
      minimum: 0,
      description: 'Rate limit per token: least time between two opening signals, in milliseconds of event time.',
    }),
    strengthenBy: Type.Number({
      default: 0.2,
      exclusiveMinimum: 0,
      maximum: 1,
      description:
        'A standing view is signalled again when its conviction (score/100 × confidence) has grown by this much.',
    }),
    reaffirmMs: Type.Integer({
      default: 3_600_000,
      minimum: 0,
      description: 'A strong view is repeated after this long, in milliseconds of event time. 0 = never.',
    }),
    strongConviction: Type.Number({
      default: 0.6,
      minimum: 0,
      maximum: 1,
      description: 'Conviction (score/100 × confidence) from which a view counts as strong enough to be repeated.',
    }),
  },
  { additionalProperties: false, default: {}, description: 'When the agent signals without being asked.' },
);
export type OpeningConfig = Static<typeof openingSchema>;

/** What the agent remembers of its last opening signal. */
export interface OpeningMemory {
  /** Action of the last opening signal; HOLD once the view has stopped being actionable, which arms the next crossing. */
  standing: Action;
  /** Event time of the last opening signal in ms; null = none yet. */
  lastAt: number | null;
  lastConviction: number;
}

export type OpeningCause = 'crossed' | 'strengthened' | 'reaffirmed';

export function newOpeningMemory(): OpeningMemory {
  return { standing: 'HOLD', lastAt: null, lastConviction: 0 };
}

/** Whether a view is BUY or SELL with enough score and confidence to open a window. */
export function isActionable(view: Opinion, config: OpeningConfig): boolean {
  return view.action !== 'HOLD' && view.score >= config.minScore && view.confidence >= config.minConfidence;
}

/**
 * Whether a view is to be signalled now: it crossed into BUY or SELL, it strengthened markedly, or it is strong and is due for
 * a repetition. A crossing that the rate limit holds back is signalled when the limit allows, if the view still stands.
 * Does not change the memory: `rememberOpening` does, when the signal really goes out.
 *
 * @param now event time, ms
 */
export function decideOpening(
  view: Opinion,
  memory: OpeningMemory,
  now: number,
  config: OpeningConfig,
): OpeningCause | null {
  if (!isActionable(view, config)) return null;
  if (memory.lastAt !== null && now - memory.lastAt < config.minIntervalMs) return null;
  if (view.action !== memory.standing || memory.lastAt === null) return 'crossed';
  const present = conviction(view);
  if (present >= memory.lastConviction + config.strengthenBy) return 'strengthened';
  const due = config.reaffirmMs > 0 && now - memory.lastAt >= config.reaffirmMs;
  return due && present >= config.strongConviction ? 'reaffirmed' : null;
}

/** Arms the next crossing when the view is no longer actionable. Call once per change of view. */
export function relaxOpening(view: Opinion, memory: OpeningMemory, config: OpeningConfig): void {
  if (!isActionable(view, config)) memory.standing = 'HOLD';
}

export function rememberOpening(view: Opinion, memory: OpeningMemory, now: number): void {
  memory.standing = view.action;
  memory.lastAt = now;
  memory.lastConviction = conviction(view);
}

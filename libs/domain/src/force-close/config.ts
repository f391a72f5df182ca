import { Type, type Static } from '@sinclair/typebox';

/** How patient a force close is. All times are milliseconds of event time. */
export const forceCloseConfigSchema = Type.Object(
  {
    cancelWaitMs: Type.Integer({
      default: 2_000,
      minimum: 0,
      maximum: 600_000,
      description:
        'How long closing waits for open orders to be cancelled. After that it closes anyway, reduce-only, and goes on cancelling.',
    }),
    retryMs: Type.Integer({
      default: 500,
      minimum: 1,
      maximum: 600_000,
      description: 'Wait after the first attempt that led to nothing; doubles with each further one.',
    }),
    maxAttempts: Type.Integer({
      default: 6,
      minimum: 1,
      maximum: 100,
      description: 'Attempts in a row without progress after which the force close says that it failed.',
    }),
    slowRetryMs: Type.Integer({
      default: 30_000,
      minimum: 1,
      maximum: 86_400_000,
      description: 'The longest wait between two attempts; after a failure every attempt waits this long.',
    }),
    stuckMs: Type.Integer({
      default: 300_000,
      minimum: 1,
      maximum: 86_400_000,
      description:
        'A closing order that has no end after this time makes the force close say that it failed. It is not doubled.',
    }),
    cooldownMs: Type.Integer({
      default: 300_000,
      minimum: 0,
      maximum: 604_800_000,
      description: 'Least time between being flat and the release of trading (rule 19).',
    }),
  },
  { additionalProperties: false, default: {}, description: 'Force close of a portfolio.' },
);
export type ForceCloseConfig = Static<typeof forceCloseConfigSchema>;

/** Wait after `tries` attempts in a row without progress: doubling, at most `slowRetryMs`; from `maxAttempts` on always that. */
export function retryDelayMs(config: ForceCloseConfig, tries: number): number {
  if (tries >= config.maxAttempts) return config.slowRetryMs;
  return Math.min(config.slowRetryMs, config.retryMs * 2 ** Math.max(0, tries - 1));
}

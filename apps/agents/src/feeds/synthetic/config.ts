import { Type, type Static } from '@sinclair/typebox';

/** Configuration of the synthetic feed. */
export const syntheticFeedConfigSchema = Type.Object(
  {
    seed: Type.Integer({
      default: 1,
      minimum: 0,
      maximum: 4_294_967_295,
      description: 'The market of a seed and a start time is always the same.',
    }),
    speed: Type.Number({
      default: 60,
      exclusiveMinimum: 0,
      maximum: 3_600,
      description: 'Feed time per wall time: the speed of the clock that the feed and the platform run on.',
    }),
    tradesPerSecond: Type.Integer({
      default: 1,
      minimum: 1,
      maximum: 1_000,
      description: 'Trades of each instrument in a second of feed time: a busier market at the same prices.',
    }),
    instruments: Type.Array(Type.String({ minLength: 1, maxLength: 200 }), {
      default: ['BTC.HYPERLIQUID', 'ETH.HYPERLIQUID', 'SOL.HYPERLIQUID'],
      minItems: 1,
      maxItems: 20,
      uniqueItems: true,
      description: 'Perpetuals that get a made-up market.',
    }),
    warmupHours: Type.Number({
      default: 8,
      minimum: 1,
      maximum: 72,
      description: 'Hours of made-up history before the start.',
    }),
    maxCatchUpMs: Type.Integer({
      default: 600_000,
      minimum: 1_000,
      description:
        'Feed time that is caught up on after a pause, in ms. What lies further back is a gap, and is told as one.',
    }),
  },
  { additionalProperties: false, default: {}, description: 'Synthetic feed: a made-up market.' },
);
export type SyntheticFeedConfig = Static<typeof syntheticFeedConfigSchema>;

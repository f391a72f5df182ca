import { Type, type Static } from '@sinclair/typebox';

const interval = (initial: number, least: number, description: string) =>
  Type.Integer({ default: initial, minimum: least, maximum: 3_600_000, description });

/** Configuration of the HyperLiquid feed. Only public data: no key, no account. */
export const hyperliquidFeedConfigSchema = Type.Object(
  {
    restUrl: Type.String({
      default: 'https://api.hyperliquid.xyz',
      pattern: '^https?://',
      maxLength: 200,
      description: 'Address of the REST host; requests go to /info below it.',
    }),
    wsUrl: Type.String({
      default: 'wss://api.hyperliquid.xyz/ws',
      pattern: '^wss?://',
      maxLength: 200,
      description: 'Address of the WebSocket.',
    }),
    coins: Type.Array(Type.String({ pattern: '^k?[A-Z0-9]{1,20}$' }), {
      default: ['BTC', 'ETH', 'SOL'],
      minItems: 1,
      maxItems: 50,
      uniqueItems: true,
      description: "Perpetuals to follow, by the venue's names.",
    }),
    book: Type.Union([Type.Literal('bbo'), Type.Literal('l2Book'), Type.Literal('none')], {
      default: 'bbo',
      description: 'Channel that best bid and ask are taken from; none = they are not followed.',
    }),
    bookIntervalMs: interval(
      500,
      0,
      'Least time between two bid (or ask) ticks of an instrument, in ms; the last change is never lost.',
    ),
    referenceIntervalMs: interval(1_000, 0, 'Least time between two mark (or oracle) ticks of an instrument, in ms.'),
    predictedIntervalMs: interval(60_000, 0, 'Least time between two predicted funding rates of an instrument, in ms.'),
    warmupHours: Type.Number({
      default: 8,
      minimum: 1,
      maximum: 72,
      description: 'Hours of one-minute bars and settled funding before the start; the venue keeps about 83.',
    }),
    pingMs: interval(
      30_000,
      10,
      'A heartbeat goes out this often, in ms; the venue drops connections that are silent for 60 s.',
    ),
    silenceMs: interval(60_000, 20, 'A connection on which nothing came for this long is given up, in ms.'),
    connectTimeoutMs: interval(10_000, 10, 'How long a connection may take to come about, in ms.'),
    requestTimeoutMs: interval(10_000, 10, 'How long a REST answer may take, in ms.'),
    reconnectMinMs: interval(500, 1, 'First wait before a new connection, in ms; doubled each time, with jitter.'),
    reconnectMaxMs: interval(30_000, 1, 'Longest wait before a new connection, in ms.'),
    spoolEvents: Type.Integer({
      default: 10_000,
      minimum: 0,
      maximum: 1_000_000,
      description: 'Events kept while the platform takes none; beyond it the connection is let go, which is a gap.',
    }),
  },
  { additionalProperties: false, default: {}, description: 'HyperLiquid feed: public market data.' },
);
export type HyperliquidFeedConfig = Static<typeof hyperliquidFeedConfigSchema>;

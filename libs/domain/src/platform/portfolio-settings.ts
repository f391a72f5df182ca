import { Type, type Static } from '@sinclair/typebox';

const Name = (description: string) => Type.String({ pattern: '^[A-Za-z0-9_-]{1,40}$', description });
const Amount = (description: string) => Type.String({ pattern: '^\\d{1,24}(\\.\\d{1,18})?$', description });

/** One portfolio as it is configured; it becomes `portfolio.opened`, `portfolio.deposited` and `portfolio.position_opened`. */
export const portfolioSettingsSchema = Type.Object(
  {
    name: Name('Name of the portfolio: its key everywhere.'),
    accountModel: Type.Union([Type.Literal('cash'), Type.Literal('cash-short-credit'), Type.Literal('margin')], {
      default: 'margin',
      description: 'How the account works (rule 15).',
    }),
    marginMode: Type.Union([Type.Literal('isolated'), Type.Literal('cross')], {
      default: 'cross',
      description: 'Of margin accounts: one margin for all positions, or one for each.',
    }),
    settlementAsset: Type.String({
      default: 'USDC',
      minLength: 2,
      maxLength: 20,
      description: 'Asset of all ledger amounts.',
    }),
    ledgerScale: Type.Integer({
      default: 12,
      minimum: 2,
      maximum: 18,
      description: 'Decimal places of ledger amounts.',
    }),
    deposit: { ...Amount('Start balance, as a decimal string in settlement asset.'), default: '100000' },
    instruments: Type.Array(
      Type.Object(
        {
          instrument: Type.String({
            minLength: 3,
            maxLength: 60,
            description: 'What is traded, e.g. BTC.HYPERLIQUID.',
          }),
          leverage: Type.Integer({ default: 3, minimum: 1, maximum: 100, description: 'Leverage at the venue.' }),
          priceSource: Type.Optional(
            Type.String({
              description: 'Instrument whose prices value it; default: the feed’s instrument of the same token.',
            }),
          ),
        },
        { additionalProperties: false },
      ),
      {
        default: ['BTC', 'ETH', 'SOL'].map((token) => ({ instrument: `${token}.HYPERLIQUID`, leverage: 3 })),
        description: 'What it may trade.',
      },
    ),
    positions: Type.Array(
      Type.Object(
        {
          instrument: Type.String({ description: 'One of the instruments above.' }),
          side: Type.Union([Type.Literal('long'), Type.Literal('short')]),
          quantity: Amount('Size, as a decimal string.'),
          price: Amount('Entry price, as a decimal string.'),
          margin: Type.Optional(Amount('Isolated margin; default: notional ÷ leverage.')),
        },
        { additionalProperties: false },
      ),
      { default: [], description: 'Positions that it starts with; the venue books them too (rule 14).' },
    ),
    subscriptions: Type.Object(
      {
        consensus: Type.Boolean({ default: true, description: 'It trades what the consensus approves.' }),
        agents: Type.Array(Type.String(), {
          default: [],
          description: 'Agents whose signals it trades directly; not together with consensus.',
        }),
        instruments: Type.Optional(
          Type.Array(Type.String(), { description: 'Only these; default: all its instruments.' }),
        ),
      },
      { additionalProperties: false, default: {} },
    ),
    limits: Type.Record(Type.String(), Type.Unknown(), {
      default: {},
      description: 'Risk limits that differ from the defaults, by name.',
    }),
    sizing: Type.Union(
      [
        Type.Object(
          {
            mode: Type.Literal('fraction'),
            fraction: Type.Number({
              exclusiveMinimum: 0,
              maximum: 10,
              description: 'Share of the portfolio value per order.',
            }),
            scaleByConfidence: Type.Boolean(),
          },
          // The default stands here and not at the union, where it would be mixed into a sizing of the other kind.
          { additionalProperties: false, default: { mode: 'fraction', fraction: 0.1, scaleByConfidence: true } },
        ),
        Type.Object(
          { mode: Type.Literal('target'), quantity: Amount('Target position per approval, signed by its side.') },
          { additionalProperties: false },
        ),
      ],
      { description: 'How much an approval trades (rule 16).' },
    ),
  },
  { additionalProperties: false },
);
export type PortfolioSettings = Static<typeof portfolioSettingsSchema>;

import { defineEvent } from '../../define';
import { about, Dec, ListOf, MapOf, Num, NumNonNeg, Portfolio, Timestamp } from '../../fields';
import { haltSchema, positionViewSchema } from '../../shapes';

export const stateSnapshot = defineEvent({
  type: 'state.snapshot',
  version: 1,
  category: 'state',
  doc: 'The complete state of a portfolio, every 5 minutes or on a significant change.',
  topic: 'state.snapshots',
  key: 'portfolio',
  fields: {
    timestamp: Timestamp,
    portfolio_value: Num,
    positions: about(MapOf(positionViewSchema), 'By instrument.'),
    leverage_ratio: NumNonNeg,
    daily_pnl: about(Num, 'Since 00:00 UTC, deposits and withdrawals taken out.'),
    portfolio: Portfolio,
    cash: Dec,
    equity: Num,
    exposure: about(Num, 'Sum of the absolute notionals.'),
    drawdown: about(NumNonNeg, 'Share below the flow-adjusted peak.'),
    riskScore: Num,
    halts: ListOf(haltSchema),
  },
  example: {
    timestamp: 1729950000000,
    portfolio_value: 50123.45,
    positions: {
      'BTC.HYPERLIQUID': {
        token: 'BTC',
        instrument: 'BTC.HYPERLIQUID',
        side: 'long',
        quantity: '0.1156',
        entryPrice: 43265.25,
        mark: 43380,
        notional: 5014.728,
        unrealisedPnl: 13.2651,
        liquidationPrice: 29120.5,
        distance: 0.3287,
      },
    },
    leverage_ratio: 0.1,
    daily_pnl: 123.45,
    portfolio: 'main',
    cash: '50110.184900000000',
    equity: 50123.45,
    exposure: 5014.728,
    drawdown: 0.0021,
    riskScore: 12.5,
    halts: [],
  },
});

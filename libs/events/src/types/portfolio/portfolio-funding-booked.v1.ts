import { defineEvent } from '../../define';
import { about, Dec, DecPos, InstrumentId, Num, Portfolio, Str, Timestamp, Token } from '../../fields';

export const portfolioFundingBooked = defineEvent({
  type: 'portfolio.funding_booked',
  version: 1,
  category: 'portfolio',
  doc: 'Funding of a position at a settlement, once for each portfolio, instrument and settlement (rule 14).',
  topic: 'portfolio.events',
  key: 'portfolio',
  stream: 'portfolio',
  fields: {
    portfolio: Portfolio,
    token: Token,
    instrument: InstrumentId,
    settlementId: Str,
    rate: Num,
    positionQuantity: about(Dec, 'Signed: negative = short.'),
    oraclePrice: DecPos,
    amount: about(Dec, 'Received; negative = paid.'),
    timestamp: Timestamp,
  },
  example: {
    portfolio: 'main',
    token: 'BTC',
    instrument: 'BTC.HYPERLIQUID',
    settlementId: 'BTC.HYPERLIQUID@1729951200000',
    rate: 0.0000125,
    positionQuantity: '0.1156',
    oraclePrice: '43248',
    amount: '-0.06249336',
    timestamp: 1729951200000,
  },
});

import { defineEvent } from '../../define';
import { about, InstrumentId, NumNonNeg, OneOf, Portfolio, Px, Text, Timestamp, Token } from '../../fields';

export const riskCritical = defineEvent({
  type: 'risk.critical',
  version: 1,
  category: 'processing',
  doc: 'A position is closer to liquidation than the critical bound: it must be closed by force (RSK-2).',
  topic: 'risk.alerts',
  key: 'portfolio',
  fields: {
    portfolio: Portfolio,
    token: Token,
    instrument: InstrumentId,
    violation_type: OneOf('liquidation_risk'),
    action_required: OneOf('force_close'),
    distance: about(NumNonNeg, '|mark − liquidation price| ÷ mark.'),
    bound: NumNonNeg,
    markPrice: Px,
    liquidationPrice: Px,
    message: Text,
    timestamp: Timestamp,
  },
  example: {
    portfolio: 'main',
    token: 'BTC',
    instrument: 'BTC.HYPERLIQUID',
    violation_type: 'liquidation_risk',
    action_required: 'force_close',
    distance: 0.084,
    bound: 0.1,
    markPrice: 99500,
    liquidationPrice: 91139.2405,
    message: 'BTC.HYPERLIQUID is 8.4 % from liquidation.',
    timestamp: 1729950000000,
  },
});

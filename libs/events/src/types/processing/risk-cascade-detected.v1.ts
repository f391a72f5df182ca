import { defineEvent } from '../../define';
import { about, IntNonNeg, Num, Portfolio, Share, Text, Timestamp, Token } from '../../fields';

export const riskCascadeDetected = defineEvent({
  type: 'risk.cascade_detected',
  version: 1,
  category: 'processing',
  doc: 'Liquidations of a token threaten a portfolio; with the reduction that is recommended (RSK-3).',
  topic: 'risk.alerts',
  key: 'portfolio',
  fields: {
    portfolio: Portfolio,
    token: Token,
    impact: about(Num, 'Estimated loss as a share of equity.'),
    threshold: Num,
    liquidationCount: IntNonNeg,
    recommendedReduction: about(Share, 'Share of the position to give up.'),
    message: Text,
    timestamp: Timestamp,
  },
  example: {
    portfolio: 'main',
    token: 'BTC',
    impact: 0.12,
    threshold: 0.05,
    liquidationCount: 150,
    recommendedReduction: 0.5,
    message: '150 liquidations in 60 s; exposure to BTC is 240 % of equity.',
    timestamp: 1729950000000,
  },
});

import { defineEvent } from '../../define';
import { DecPos, Portfolio, Str, Timestamp } from '../../fields';

export const portfolioDeposited = defineEvent({
  type: 'portfolio.deposited',
  version: 1,
  category: 'portfolio',
  doc: 'Money came in; it is not profit (rule 14).',
  topic: 'portfolio.events',
  key: 'portfolio',
  stream: 'portfolio',
  fields: {
    portfolio: Portfolio,
    amount: DecPos,
    asset: Str,
    timestamp: Timestamp,
  },
  example: {
    portfolio: 'main',
    amount: '50000',
    asset: 'USDC',
    timestamp: 1729949000000,
  },
});

import { defineEvent } from '../../define';
import { DecPos, Portfolio, Str, Timestamp } from '../../fields';

export const portfolioWithdrawn = defineEvent({
  type: 'portfolio.withdrawn',
  version: 1,
  category: 'portfolio',
  doc: 'Money went out; it is not a loss (rule 14).',
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
    amount: '1000',
    asset: 'USDC',
    timestamp: 1729949500000,
  },
});

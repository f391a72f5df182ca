import { defineEvent } from '../../define';
import { about, Bool, ListOf, Optional, Portfolio, Text, Timestamp } from '../../fields';

export const portfolioReconciled = defineEvent({
  type: 'portfolio.reconciled',
  version: 1,
  category: 'portfolio',
  doc: "The portfolio was compared with the venue's books; differences are listed, never papered over by invented fills.",
  topic: 'portfolio.events',
  key: 'portfolio',
  stream: 'portfolio',
  fields: {
    portfolio: Portfolio,
    differences: ListOf(Text),
    isCompared: Optional(
      about(Bool, 'False: nothing has been compared yet, and the differences say why. Absent: true.'),
    ),
    timestamp: Timestamp,
  },
  example: {
    portfolio: 'main',
    differences: [],
    timestamp: 1729950000000,
  },
});

import { defineEvent } from '../../define';
import { IntNonNeg, ListOf, Portfolio, Timestamp, Uuid } from '../../fields';
import { breachSchema } from '../../shapes';

export const orderApproved = defineEvent({
  type: 'order.approved',
  version: 1,
  category: 'action',
  doc: 'An order passed every limit; breaches of a merely reducing order are recorded here.',
  topic: 'order.events',
  key: 'portfolio',
  stream: 'order',
  fields: {
    order_id: Uuid,
    portfolio: Portfolio,
    limitsChecked: IntNonNeg,
    recordedBreaches: ListOf(breachSchema),
    timestamp: Timestamp,
  },
  example: {
    order_id: '7d9a2c0b-6f3e-5b11-8f0a-3a4f5e6d7c04',
    portfolio: 'main',
    limitsChecked: 18,
    recordedBreaches: [],
    timestamp: 1729950000180,
  },
});

import { defineEvent } from '../../define';
import { about, Portfolio, Str, Text, Timestamp, Uuid } from '../../fields';

export const orderWithheld = defineEvent({
  type: 'order.withheld',
  version: 1,
  category: 'action',
  doc: 'The sender certainly never sent this order and never will: a halt came first (rule 18). An input, by the sender.',
  topic: 'order.events',
  key: 'portfolio',
  stream: 'order',
  fields: {
    order_id: Uuid,
    portfolio: Portfolio,
    reason: about(Str, 'Code: HALTED, EXPIRED or a code of the venue that refused the call as a whole.'),
    detail: Text,
    timestamp: Timestamp,
  },
  example: {
    order_id: '7d9a2c0b-6f3e-5b11-8f0a-3a4f5e6d7c04',
    portfolio: 'main',
    reason: 'HALTED',
    detail: 'risk:leverage halted the portfolio before the order left.',
    timestamp: 1729950000185,
  },
});

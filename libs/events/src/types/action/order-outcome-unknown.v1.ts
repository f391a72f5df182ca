import { defineEvent } from '../../define';
import { IntPos, Portfolio, Text, Timestamp, Uuid } from '../../fields';

export const orderOutcomeUnknown = defineEvent({
  type: 'order.outcome_unknown',
  version: 1,
  category: 'action',
  doc: 'The venue gave no answer to an attempt; it is asked by client order id, never resent blindly.',
  topic: 'order.events',
  key: 'portfolio',
  stream: 'order',
  fields: {
    order_id: Uuid,
    portfolio: Portfolio,
    attempt: IntPos,
    detail: Text,
    timestamp: Timestamp,
  },
  example: {
    order_id: '7d9a2c0b-6f3e-5b11-8f0a-3a4f5e6d7c04',
    portfolio: 'main',
    attempt: 1,
    detail: 'The venue did not answer within 3000 ms.',
    timestamp: 1729950003180,
  },
});

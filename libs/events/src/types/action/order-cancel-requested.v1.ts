import { defineEvent } from '../../define';
import { Portfolio, Text, Timestamp, Uuid } from '../../fields';

export const orderCancelRequested = defineEvent({
  type: 'order.cancel_requested',
  version: 1,
  category: 'action',
  doc: 'An order in flight shall be cancelled.',
  topic: 'order.events',
  key: 'portfolio',
  stream: 'order',
  fields: {
    order_id: Uuid,
    portfolio: Portfolio,
    reason: Text,
    timestamp: Timestamp,
  },
  example: {
    order_id: '7d9a2c0b-6f3e-5b11-8f0a-3a4f5e6d7c04',
    portfolio: 'main',
    reason: 'force close',
    timestamp: 1729950004000,
  },
});

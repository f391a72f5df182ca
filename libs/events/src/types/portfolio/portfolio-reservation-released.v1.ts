import { defineEvent } from '../../define';
import { DecNonNeg, OneOf, Portfolio, Timestamp, Uuid } from '../../fields';

export const portfolioReservationReleased = defineEvent({
  type: 'portfolio.reservation_released',
  version: 1,
  category: 'portfolio',
  doc: 'Room set aside for an order, or a part of it, is free again.',
  topic: 'portfolio.events',
  key: 'portfolio',
  stream: 'portfolio',
  fields: {
    portfolio: Portfolio,
    order_id: Uuid,
    quantity: DecNonNeg,
    notional: DecNonNeg,
    reason: OneOf('filled', 'rejected', 'cancelled', 'expired'),
    timestamp: Timestamp,
  },
  example: {
    portfolio: 'main',
    order_id: '7d9a2c0b-6f3e-5b11-8f0a-3a4f5e6d7c04',
    quantity: '0.1156',
    notional: '4999.7578',
    reason: 'filled',
    timestamp: 1729950100000,
  },
});

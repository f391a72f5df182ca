import { defineEvent } from '../../define';
import { about, Bool, DecPos, InstrumentId, ListOf, Portfolio, Side, Timestamp, Token, Uuid } from '../../fields';
import { breachSchema } from '../../shapes';

export const riskConstraintViolation = defineEvent({
  type: 'risk.constraint_violation',
  version: 1,
  category: 'processing',
  doc: 'An order broke one or more limits; every breach with its value and its bound (US2-4).',
  topic: 'risk.violations',
  key: 'portfolio',
  stream: 'order',
  fields: {
    portfolio: Portfolio,
    token: Token,
    instrument: InstrumentId,
    order_id: Uuid,
    side: Side,
    quantity: DecPos,
    breaches: ListOf(breachSchema),
    recordedOnly: about(Bool, 'True: the order only reduces; the breaches are recorded and it goes on.'),
    timestamp: Timestamp,
  },
  example: {
    portfolio: 'main',
    token: 'BTC',
    instrument: 'BTC.HYPERLIQUID',
    order_id: '7d9a2c0b-6f3e-5b11-8f0a-3a4f5e6d7c04',
    side: 'buy',
    quantity: '0.1156',
    breaches: [{ code: 'max_leverage', message: 'Leverage would be 3.4.', value: 3.4, bound: 3 }],
    recordedOnly: false,
    timestamp: 1729950000000,
  },
});

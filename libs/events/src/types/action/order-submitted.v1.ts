import { defineEvent } from '../../define';
import { about, IntNonNeg, IntPos, Ms, Portfolio, Str, TextUpTo, Timestamp, Uuid } from '../../fields';

export const orderSubmitted = defineEvent({
  type: 'order.submitted',
  version: 1,
  category: 'action',
  doc: 'The exact signed bytes of an attempt, stored before they are sent (rule 17). An input, by the sender.',
  topic: 'order.events',
  key: 'portfolio',
  stream: 'order',
  fields: {
    order_id: Uuid,
    portfolio: Portfolio,
    attempt: IntPos,
    clientOrderId: Str,
    nonce: IntNonNeg,
    expiresAt: Ms,
    payload: about(TextUpTo(8_000), 'The signed text, exactly; a resend is these same bytes.'),
    signature: TextUpTo(1_000),
    timestamp: Timestamp,
  },
  example: {
    order_id: '7d9a2c0b-6f3e-5b11-8f0a-3a4f5e6d7c04',
    portfolio: 'main',
    attempt: 1,
    clientOrderId: '0x7d9a2c0b6f3e5b118f0a3a4f5e6d7c04',
    nonce: 1729950000181,
    expiresAt: 1729950030180,
    payload: '{"account":"main","instrument":"BTC.HYPERLIQUID","quantity":"0.1156","side":"buy"}',
    signature: '0x5f1c2d',
    timestamp: 1729950000180,
  },
});

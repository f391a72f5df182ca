import { defineEvent } from '../../define';
import { OneOf, Optional, Str, Text, Timestamp, Token, Uuid } from '../../fields';

export const signalError = defineEvent({
  type: 'signal.error',
  version: 1,
  category: 'processing',
  doc: "An agent could not form a signal, e.g. because the model's answer was no valid one.",
  topic: 'signal.errors',
  key: 'token',
  fields: {
    token: Token,
    agent: Str,
    reason: OneOf('timeout', 'invalid_answer', 'refused', 'unavailable'),
    detail: Text,
    inferenceId: Optional(Uuid),
    timestamp: Timestamp,
  },
  example: {
    token: 'BTC',
    agent: 'trading_agent',
    reason: 'invalid_answer',
    detail: 'The answer is no JSON object.',
    inferenceId: '8c1f6f4e-2a55-5f0e-9a51-0d6f3b8f2d11',
    timestamp: 1729950000000,
  },
});

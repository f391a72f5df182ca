import { defineEvent } from '../../define';
import { about, NumNonNeg, OneOf, Optional, Str, TextUpTo, Timestamp, Token, Uuid } from '../../fields';

export const inferenceCompleted = defineEvent({
  type: 'inference.completed',
  version: 1,
  category: 'processing',
  doc: 'What a model answered, or that it did not. Enters the log once, as an input.',
  topic: 'inference.results',
  key: 'token',
  fields: {
    token: Token,
    inferenceId: Uuid,
    agent: Str,
    model: Str,
    provider: OneOf('rule-based', 'claude', 'groq', 'deepseek'),
    status: OneOf('ok', 'timeout', 'error'),
    answer: about(TextUpTo(20_000), 'The text of the answer, or of the error.'),
    latencyMs: NumNonNeg,
    costUsd: Optional(NumNonNeg),
    windowId: Optional(Uuid),
    timestamp: Timestamp,
  },
  example: {
    token: 'BTC',
    inferenceId: '8c1f6f4e-2a55-5f0e-9a51-0d6f3b8f2d11',
    agent: 'trading_agent',
    model: 'rule-based',
    provider: 'rule-based',
    status: 'ok',
    answer: '{"action":"BUY","score":78,"confidence":0.85,"reason":"trend up"}',
    latencyMs: 120,
    windowId: '5b3f1c52-63a1-5d9c-8f7e-1b8a7a6f0c01',
    timestamp: 1729950000120,
  },
});

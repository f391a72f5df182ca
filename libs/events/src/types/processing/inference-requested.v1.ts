import { defineEvent } from '../../define';
import { about, FlatMap, IntPos, Optional, Str, TextUpTo, Timestamp, Token, Uuid } from '../../fields';

export const inferenceRequested = defineEvent({
  type: 'inference.requested',
  version: 1,
  category: 'processing',
  doc: 'A question to a model; the answer comes back as inference.completed, nobody waits for it.',
  topic: 'inference.requests',
  key: 'token',
  fields: {
    token: Token,
    inferenceId: Uuid,
    agent: Str,
    windowId: Optional(Uuid),
    model: Str,
    prompt: TextUpTo(20_000),
    features: about(FlatMap, 'The figures behind the prompt, for the rule-based model.'),
    timeoutMs: IntPos,
    timestamp: Timestamp,
  },
  example: {
    token: 'BTC',
    inferenceId: '8c1f6f4e-2a55-5f0e-9a51-0d6f3b8f2d11',
    agent: 'trading_agent',
    windowId: '5b3f1c52-63a1-5d9c-8f7e-1b8a7a6f0c01',
    model: 'rule-based',
    prompt: 'Judge BTC: SMA20 43210.5, SMA50 43102.25, RSI14 61.2. Answer with JSON.',
    features: { sma20: 43210.5, sma50: 43102.25, rsi14: 61.2 },
    timeoutMs: 3000,
    timestamp: 1729950000000,
  },
});

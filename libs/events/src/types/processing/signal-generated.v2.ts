import { Type } from '@sinclair/typebox';
import { defineEvent } from '../../define';
import {
  about,
  Action,
  FlatMap,
  InstrumentId,
  Optional,
  Percent,
  Share,
  Str,
  Text,
  Timestamp,
  Token,
  Uuid,
} from '../../fields';

export const signalGenerated = defineEvent({
  type: 'signal.generated',
  version: 2,
  category: 'processing',
  doc: "An agent's opinion on a token. With a windowId it is an answer to a consensus window and never trades by itself.",
  topic: 'signal.generated',
  key: 'token',
  fields: {
    token: Token,
    action: Action,
    score: about(Percent, 'Strength of the opinion.'),
    confidence: about(Share, 'How sure the agent is; 0 = no view.'),
    agent: about(Str, 'Name of the agent, e.g. trading_agent.'),
    instrument: Optional(InstrumentId),
    windowId: Optional(about(Uuid, 'The consensus window that this answers.')),
    reason: about(Text, 'Why, in words.'),
    sizeFactor: Optional(
      about(Type.Number({ format: 'num15', minimum: 1, maximum: 3 }), 'Wanted multiple of the usual size.'),
    ),
    context: Optional(about(FlatMap, 'The figures that the opinion rests on.')),
    timestamp: Timestamp,
  },
  example: {
    token: 'BTC',
    action: 'BUY',
    score: 78,
    confidence: 0.85,
    agent: 'trading_agent',
    instrument: 'BTC.HYPERLIQUID',
    reason: 'SMA 20 crossed above SMA 50 with RSI at 61.',
    context: { sma20: 43210.5, sma50: 43102.25, rsi14: 61.2, trend: 'up' },
    timestamp: 1729950000000,
  },
});

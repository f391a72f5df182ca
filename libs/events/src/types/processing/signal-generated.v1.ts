import { defineEvent } from '../../define';
import { about, Action, Percent, Share, Str, Token } from '../../fields';

export const signalGeneratedV1 = defineEvent({
  type: 'signal.generated',
  version: 1,
  category: 'processing',
  doc: "An agent's opinion on a token, as the design document has it.",
  topic: 'signal.generated',
  key: 'token',
  fields: {
    token: Token,
    action: Action,
    score: Percent,
    confidence: Share,
    agent: about(Str, 'Name of the agent, e.g. trading_agent.'),
  },
  upcast: (data, context) => ({ ...data, event_type: 'signal.generated', reason: '', timestamp: context.occurredAt }),
  downcast: ({ token, action, score, confidence, agent }) => ({
    ...{ event_type: 'signal.generated', token: token!, action: action! },
    ...{ score: score!, confidence: confidence!, agent: agent! },
  }),
  example: {
    token: 'BTC',
    action: 'BUY',
    score: 78,
    confidence: 0.85,
    agent: 'trading_agent',
  },
});

import { defineEvent } from '../../define';
import { about, IntNonNeg, NumNonNeg, Str, Timestamp } from '../../fields';

export const agentLagging = defineEvent({
  type: 'agent.lagging',
  version: 1,
  category: 'processing',
  doc: 'A handler is more than a second behind (AGT-6).',
  topic: 'agent.health',
  key: 'system',
  operational: true,
  fields: {
    agent: about(Str, 'Name of the handler.'),
    lagMs: NumNonNeg,
    queued: IntNonNeg,
    timestamp: Timestamp,
  },
  example: {
    agent: 'agent/chart',
    lagMs: 1840,
    queued: 412,
    timestamp: 1729950000000,
  },
});

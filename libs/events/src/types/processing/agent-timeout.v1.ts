import { defineEvent } from '../../define';
import { about, NumNonNeg, Optional, Str, Timestamp, Uuid } from '../../fields';

export const agentTimeout = defineEvent({
  type: 'agent.timeout',
  version: 1,
  category: 'processing',
  doc: 'A handler took longer than its time-out on one event (AGT-2).',
  topic: 'agent.health',
  key: 'system',
  operational: true,
  fields: {
    agent: about(Str, 'Name of the handler.'),
    eventId: Optional(Uuid),
    elapsedMs: NumNonNeg,
    timestamp: Timestamp,
  },
  example: {
    agent: 'agent/chart',
    eventId: '0f5a6f0e-93d2-5f3b-a0a4-6d6d4f5f9b02',
    elapsedMs: 5003,
    timestamp: 1729950000000,
  },
});

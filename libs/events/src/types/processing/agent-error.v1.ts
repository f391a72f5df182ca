import { defineEvent } from '../../define';
import { about, IntPos, Str, Text, Timestamp, Uuid } from '../../fields';

export const agentError = defineEvent({
  type: 'agent.error',
  version: 1,
  category: 'processing',
  doc: 'A handler threw on an event. The next event is handled; the failed one is a dead letter or parks its key.',
  topic: 'agent.health',
  key: 'handlerKey',
  operational: true,
  fields: {
    agent: about(Str, 'Name of the handler.'),
    handlerKey: Str,
    eventId: Uuid,
    failedType: about(Str, 'Type of the event that failed.'),
    error: Text,
    attempts: IntPos,
    timestamp: Timestamp,
  },
  example: {
    agent: 'agent/chart',
    handlerKey: 'BTC',
    eventId: '0f5a6f0e-93d2-5f3b-a0a4-6d6d4f5f9b02',
    failedType: 'bar.closed',
    error: 'TypeError: cannot read properties of undefined',
    attempts: 3,
    timestamp: 1729950000000,
  },
});

import { defineEvent } from '../../define';
import { IntNonNeg, OneOf, Str, Text, Timestamp, Uuid } from '../../fields';

export const eventSkipped = defineEvent({
  type: 'event.skipped',
  version: 1,
  category: 'processing',
  doc: 'An event was skipped for one handler and key and lies as a dead letter (rule 25). An input: replay obeys it.',
  topic: 'audit.events',
  key: 'handlerKey',
  stream: 'audit',
  fields: {
    handler: Str,
    handlerKey: Str,
    skippedEventId: Uuid,
    skippedSeq: IntNonNeg,
    reason: OneOf('error', 'timeout'),
    error: Text,
    timestamp: Timestamp,
  },
  example: {
    handler: 'agent/chart',
    handlerKey: 'BTC',
    skippedEventId: '0f5a6f0e-93d2-5f3b-a0a4-6d6d4f5f9b02',
    skippedSeq: 10482,
    reason: 'error',
    error: 'TypeError: cannot read properties of undefined',
    timestamp: 1729950000000,
  },
});

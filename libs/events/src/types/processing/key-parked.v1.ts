import { defineEvent } from '../../define';
import { about, IntNonNeg, Optional, Str, Text, Timestamp, Uuid } from '../../fields';

export const keyParked = defineEvent({
  type: 'key.parked',
  version: 1,
  category: 'processing',
  doc: 'A key of an aggregate, saga or projection is parked: its later events queue durably (rule 25). An input.',
  topic: 'audit.events',
  key: 'handlerKey',
  stream: 'audit',
  fields: {
    handler: Str,
    handlerKey: Str,
    eventId: about(Uuid, 'The event that could not be handled.'),
    seq: IntNonNeg,
    error: Optional(Text),
    timestamp: Timestamp,
  },
  example: {
    handler: 'execution',
    handlerKey: 'main',
    eventId: '0f5a6f0e-93d2-5f3b-a0a4-6d6d4f5f9b02',
    seq: 10482,
    error: 'RangeError: over-fill of order',
    timestamp: 1729950000000,
  },
});

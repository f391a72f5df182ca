import { defineEvent } from '../../define';
import { about, IntNonNeg, Optional, Str, Text, Timestamp, Uuid } from '../../fields';

export const keyUnparked = defineEvent({
  type: 'key.unparked',
  version: 1,
  category: 'processing',
  doc: 'A parked key is handled again from the event that parked it. An input.',
  topic: 'audit.events',
  key: 'handlerKey',
  stream: 'audit',
  fields: {
    handler: Str,
    handlerKey: Str,
    eventId: about(Uuid, 'The event that had parked it.'),
    seq: IntNonNeg,
    error: Optional(Text),
    timestamp: Timestamp,
  },
  example: {
    handler: 'execution',
    handlerKey: 'main',
    eventId: '0f5a6f0e-93d2-5f3b-a0a4-6d6d4f5f9b02',
    seq: 10482,
    timestamp: 1729953600000,
  },
});

import { defineEvent } from '../../define';
import { IntNonNeg, Str, Timestamp, Uuid } from '../../fields';

export const eventReplayed = defineEvent({
  type: 'event.replayed',
  version: 1,
  category: 'processing',
  doc: "A dead letter was delivered again at an operator's request. An input.",
  topic: 'audit.events',
  key: 'handlerKey',
  stream: 'audit',
  fields: {
    handler: Str,
    handlerKey: Str,
    replayedEventId: Uuid,
    replayedSeq: IntNonNeg,
    requestedBy: Str,
    timestamp: Timestamp,
  },
  example: {
    handler: 'agent/chart',
    handlerKey: 'BTC',
    replayedEventId: '0f5a6f0e-93d2-5f3b-a0a4-6d6d4f5f9b02',
    replayedSeq: 10482,
    requestedBy: 'operator',
    timestamp: 1729950600000,
  },
});

import { defineEvent } from '../../define';
import { Text, Timestamp } from '../../fields';

export const systemStopped = defineEvent({
  type: 'system.stopped',
  version: 1,
  category: 'system',
  doc: 'The platform has drained and stops.',
  topic: 'system.events',
  key: 'system',
  operational: true,
  fields: {
    reason: Text,
    timestamp: Timestamp,
  },
  example: {
    reason: 'SIGINT',
    timestamp: 1729960000000,
  },
});

import { defineEvent } from '../../define';
import { Str, Text, Timestamp } from '../../fields';

export const systemStartupFailure = defineEvent({
  type: 'system.startup_failure',
  version: 1,
  category: 'system',
  doc: 'A component did not start; trading signals are not accepted (SYS-2).',
  topic: 'system.events',
  key: 'system',
  operational: true,
  fields: {
    component: Str,
    error: Text,
    timestamp: Timestamp,
  },
  example: {
    component: 'event-store',
    error: 'The server did not answer within 10 s.',
    timestamp: 1729949000000,
  },
});

import { defineEvent } from '../../define';
import { OneOf, Str, Text, Timestamp } from '../../fields';

export const feedStatus = defineEvent({
  type: 'feed.status',
  version: 1,
  category: 'system',
  doc: 'A feed connected, disconnected, or came to the end of its data.',
  topic: 'system.events',
  key: 'system',
  operational: true,
  fields: {
    feed: Str,
    status: OneOf('connected', 'disconnected', 'finished'),
    detail: Text,
    timestamp: Timestamp,
  },
  example: {
    feed: 'synthetic',
    status: 'connected',
    detail: 'seed 7, 60 times real time',
    timestamp: 1729949000000,
  },
});

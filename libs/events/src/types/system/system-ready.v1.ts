import { defineEvent } from '../../define';
import { ListOf, NumNonNeg, Str, Timestamp } from '../../fields';

export const systemReady = defineEvent({
  type: 'system.ready',
  version: 1,
  category: 'system',
  doc: 'Every component is healthy; market data is accepted from here on (SYS-1).',
  topic: 'system.events',
  key: 'system',
  operational: true,
  fields: {
    components: ListOf(Str),
    startupMs: NumNonNeg,
    timestamp: Timestamp,
  },
  example: {
    components: ['broker', 'event-store', 'cache', 'agents', 'api'],
    startupMs: 2310,
    timestamp: 1729949000000,
  },
});

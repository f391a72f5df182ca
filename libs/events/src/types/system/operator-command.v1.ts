import { defineEvent } from '../../define';
import { FreeMap, OneOf, Str, Timestamp } from '../../fields';

export const operatorCommand = defineEvent({
  type: 'operator.command',
  version: 1,
  category: 'system',
  doc: 'An operator asked for something; stored before it is carried out. An input.',
  topic: 'audit.events',
  key: 'system',
  stream: 'audit',
  fields: {
    command: OneOf('replay_dead_letter', 'halt', 'lift'),
    arguments: FreeMap,
    requestedBy: Str,
    timestamp: Timestamp,
  },
  example: {
    command: 'halt',
    arguments: { scope: 'global', reason: 'maintenance' },
    requestedBy: 'operator',
    timestamp: 1729950000000,
  },
});

import { defineEvent } from '../../define';
import { FreeMap, Str, Timestamp } from '../../fields';

export const configActivated = defineEvent({
  type: 'config.activated',
  version: 1,
  category: 'system',
  doc: 'The configuration and code version that hold from here on (rule 8).',
  topic: 'system.events',
  key: 'system',
  stream: 'config',
  fields: {
    runId: Str,
    codeVersion: Str,
    values: FreeMap,
    timestamp: Timestamp,
  },
  example: {
    runId: 'synthetic',
    codeVersion: '0.1.0',
    values: { consensus: { threshold: 70, minimumAgents: 2, windowMs: 5000 } },
    timestamp: 1729949000000,
  },
});

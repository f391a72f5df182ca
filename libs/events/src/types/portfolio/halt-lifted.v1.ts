import { defineEvent } from '../../define';
import { about, HaltScope, Optional, Str, Text, Timestamp } from '../../fields';

export const haltLifted = defineEvent({
  type: 'halt.lifted',
  version: 1,
  category: 'portfolio',
  doc: 'A source lifts its own halt (rule 18).',
  topic: 'halt.events',
  key: 'scope',
  stream: 'halts',
  fields: {
    source: Str,
    scope: HaltScope,
    portfolio: Optional(about(Str, 'Portfolio id; required for scope portfolio.')),
    reason: Str,
    detail: Optional(Text),
    timestamp: Timestamp,
  },
  example: {
    source: 'agent/risk',
    scope: 'portfolio',
    portfolio: 'main',
    reason: 'leverage',
    timestamp: 1729950300000,
  },
});

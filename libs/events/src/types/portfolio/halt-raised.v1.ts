import { defineEvent } from '../../define';
import { about, HaltScope, Optional, Str, Text, Timestamp } from '../../fields';

export const haltRaised = defineEvent({
  type: 'halt.raised',
  version: 1,
  category: 'portfolio',
  doc: 'A source halts trading in a portfolio or globally; trading needs the set of halts empty (rule 18).',
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
    detail: 'Leverage 3.4 is above 3.',
    timestamp: 1729950000000,
  },
});

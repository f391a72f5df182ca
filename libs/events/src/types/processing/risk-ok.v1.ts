import { defineEvent } from '../../define';
import { InstrumentId, ListOf, Optional, Portfolio, Shape, Text, Timestamp, Token, ViolationType } from '../../fields';

export const riskOk = defineEvent({
  type: 'risk.ok',
  version: 1,
  category: 'processing',
  doc: "Conditions that had raised alerts have cleared, with hysteresis (RSK-4); lifts the risk agent's own halt.",
  topic: 'risk.alerts',
  key: 'portfolio',
  fields: {
    portfolio: Portfolio,
    clears: ListOf(
      Shape({ violation_type: ViolationType, token: Optional(Token), instrument: Optional(InstrumentId) }),
    ),
    message: Text,
    timestamp: Timestamp,
  },
  example: {
    portfolio: 'main',
    clears: [{ violation_type: 'leverage' }],
    message: 'Leverage is back at 2.1, below 2.7.',
    timestamp: 1729950300000,
  },
});

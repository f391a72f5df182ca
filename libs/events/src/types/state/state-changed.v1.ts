import { defineEvent } from '../../define';
import { about, Delta, IntNonNeg, Portfolio, Timestamp } from '../../fields';

export const stateChanged = defineEvent({
  type: 'state.changed',
  version: 1,
  category: 'state',
  doc: 'What changed in the state of a portfolio: the new values of the changed fields only.',
  topic: 'state.changes',
  key: 'portfolio',
  fields: {
    timestamp: Timestamp,
    delta: about(Delta, 'changed_fields, and new_<field> for each of them.'),
    portfolio: Portfolio,
    version: about(IntNonNeg, 'Version of the state after the change; rises by one each time.'),
  },
  example: {
    timestamp: 1729950100000,
    delta: { new_portfolio_value: 50500, changed_fields: ['portfolio_value', 'positions'], new_positions: {} },
    portfolio: 'main',
    version: 42,
  },
});

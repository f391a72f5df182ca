import { defineEvent } from '../../define';
import { Num, Str, Timestamp } from '../../fields';

export const metricSlaViolation = defineEvent({
  type: 'metric.sla_violation',
  version: 1,
  category: 'system',
  doc: 'A service level was missed (NFP-2).',
  topic: 'system.events',
  key: 'system',
  operational: true,
  fields: {
    metric: Str,
    value: Num,
    bound: Num,
    unit: Str,
    timestamp: Timestamp,
  },
  example: {
    metric: 'event_store_append_p99',
    value: 14.2,
    bound: 10,
    unit: 'ms',
    timestamp: 1729950000000,
  },
});

import type { AnyEvent } from '@moon/events';

/**
 * The key under which the newest event of its kind is shown; null for events that are shown otherwise or not at all. The newest
 * is that of the greatest time, then of the greatest id (`eventVersion`): so it does not matter in which order partitions,
 * resends and late messages come in.
 */
export function registerKey(event: AnyEvent): string | null {
  switch (event.type) {
    case 'price.tick':
      return `market:${event.data.instrument}:${event.data.kind}`;
    case 'bar.closed':
      return `bar:${event.data.instrument}:${event.data.intervalMs}`;
    case 'funding.update':
      return `funding:${event.data.instrument}:${event.data.status}`;
    case 'sentiment.update':
      return `sentiment:${event.data.token}:${event.data.source}`;
    case 'signal.generated':
      return `agent:${event.data.agent}:signal:${event.data.token}`;
    case 'signal.error':
      return `agent:${event.data.agent}:signal-error:${event.data.token}`;
    case 'agent.error':
      return `agent:${event.data.agent}:error`;
    case 'agent.timeout':
      return `agent:${event.data.agent}:timeout`;
    case 'agent.lagging':
      return `agent:${event.data.agent}:lag`;
    case 'metric.sla_violation':
      return `metric:${event.data.metric}`;
    default:
      return null;
  }
}

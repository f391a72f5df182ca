import type { AnyEvent, EventType } from '@moon/events';
import { findInstrument } from '@moon/domain';

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

/** Where to look for what is shown under a key; the token of an event, where the key names it. */
export interface RegisterSource {
  types: readonly EventType[];
  token?: string;
}

const OF_AGENT: Readonly<Record<string, EventType>> = {
  signal: 'signal.generated',
  'signal-error': 'signal.error',
  error: 'agent.error',
  timeout: 'agent.timeout',
  lag: 'agent.lagging',
};

const OF_INSTRUMENT: Readonly<Record<string, EventType>> = {
  market: 'price.tick',
  bar: 'bar.closed',
  funding: 'funding.update',
};

/** The events among which `registerKey` finds this key; null for keys of another kind. */
export function registerSource(key: string): RegisterSource | null {
  const [kind = '', name = '', what = '', rest] = key.split(':');
  if (kind === 'metric') return { types: ['metric.sla_violation'] };
  if (kind === 'sentiment') return { types: ['sentiment.update'], token: name };
  const type = kind === 'agent' ? OF_AGENT[what] : OF_INSTRUMENT[kind];
  if (type === undefined) return null;
  const token = kind === 'agent' ? rest : findInstrument(name)?.token;
  return { types: [type], ...(token !== undefined && { token }) };
}

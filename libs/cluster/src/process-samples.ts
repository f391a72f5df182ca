import { publisherSamples, sample, type MetricSource, type Sample } from '@moon/infra';
import type { Connections } from './connections';

/** Which shards a deployment is to have: every process says it, so that it is known when some are away. */
export function expectedSamples({ plans, config }: Pick<Connections, 'plans' | 'config'>): Sample[] {
  return plans.map(({ name }) => sample('moon_shards_expected', config.shards, { group: name }));
}

/** A part of a process, as far as metrics go. */
interface Measured {
  readonly name: string;
  metrics?: MetricSource;
}

/** Has what this process does read whenever somebody asks for its metrics: each part by itself. */
export function observeProcess(connections: Connections, parts: readonly Measured[]): void {
  const { metrics, publisher } = connections;
  metrics.addSource('deployment', () => expectedSamples(connections));
  metrics.addSource('publisher', () =>
    publisherSamples('shards', { stats: publisher.stats(), isAway: publisher.isAway }),
  );
  for (const part of parts) if (part.metrics) metrics.addSource(part.name, () => part.metrics?.() ?? []);
}

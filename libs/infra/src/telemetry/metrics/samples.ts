import type { AnyEvent } from '@moon/events';
import type { HealthRegistry } from '../../health/health-registry';
import { sample, type Sample } from './catalog';
import type { ProcessMetrics } from './process-metrics';

/** Readiness and components. */
export function healthSamples(health: Pick<HealthRegistry, 'state' | 'report'>): Sample[] {
  return [
    sample('moon_ready', health.state === 'READY'),
    sample('moon_starting', health.state === 'STARTING'),
    ...Object.entries(health.report().components).map(([component, { status }]) =>
      sample('moon_component_up', status === 'up', { component }),
    ),
  ];
}

/** What a publisher says of itself, as far as metrics say it. */
interface PublisherFigures {
  published: number;
  attempts: number;
  failures: number;
  troubles: number;
  backlog: number;
  backlogBytes: number;
  oldestMs: number;
}

/** @param publisher which one of the process: `shards` for what handlers emit, `feed` */
export function publisherSamples(
  publisher: string,
  { stats, isAway }: { stats: PublisherFigures; isAway: boolean },
): Sample[] {
  const labels = { publisher };
  return [
    sample('moon_publisher_messages_total', stats.published, labels),
    sample('moon_publisher_requests_total', stats.attempts, labels),
    sample('moon_publisher_failures_total', stats.failures, labels),
    sample('moon_publisher_troubles_total', stats.troubles, labels),
    sample('moon_publisher_away', isAway, labels),
    sample('moon_publisher_backlog_messages', stats.backlog, labels),
    sample('moon_publisher_backlog_bytes', stats.backlogBytes, labels),
    sample('moon_publisher_oldest_seconds', stats.oldestMs / 1_000, labels),
  ];
}

/** How a shard stands, as far as metrics say it. */
export interface ShardPosition {
  isLive: boolean;
  seq: number;
  durableSeq: number;
  /** Left out where nothing is published. */
  publishedSeq?: number;
  backlog: number;
}

/** @param shard its number in the group */
export function shardSamples(group: string, shard: string, at: ShardPosition): Sample[] {
  const labels = { group, shard };
  return [
    sample('moon_shard_live', at.isLive, labels),
    sample('moon_shard_seq', at.seq, labels),
    sample('moon_shard_durable_seq', at.durableSeq, labels),
    ...(at.publishedSeq === undefined ? [] : [sample('moon_shard_published_seq', at.publishedSeq, labels)]),
    sample('moon_shard_backlog_events', at.backlog, labels),
  ];
}

/** Lag of one consumer group in this process, by topic. */
export function lagSamples(group: string, lag: Readonly<Record<string, number>>): Sample[] {
  return Object.entries(lag).map(([topic, messages]) => sample('moon_group_lag_messages', messages, { group, topic }));
}

/** Keys that stand still at a poisoned event, and what waits for them. */
export function parkedSamples(group: string, keys: ReadonlyArray<{ waiting: number; isFull: boolean }>): Sample[] {
  const labels = { group };
  return [
    sample('moon_parked_keys', keys.length, labels),
    sample(
      'moon_parked_waiting_events',
      keys.reduce((sum, { waiting }) => sum + waiting, 0),
      labels,
    ),
    sample('moon_parked_full_keys', keys.filter(({ isFull }) => isFull).length, labels),
  ];
}

/** Of each portfolio that this process owns: its halts. A source is told by what stands before its first colon. */
export function haltSamples(portfolios: ReadonlyArray<readonly { source: string }[]>): Sample[] {
  const bySource = new Map<string, number>();
  for (const { source } of portfolios.flat()) {
    const kind = source.split(':')[0]!;
    bySource.set(kind, (bySource.get(kind) ?? 0) + 1);
  }
  return [
    sample('moon_portfolios', portfolios.length),
    sample('moon_halted_portfolios', portfolios.filter((halts) => halts.length > 0).length),
    ...[...bySource].map(([source, halts]) => sample('moon_halts', halts, { source })),
  ];
}

/** Counts what became of orders; every other event costs a comparison. */
export function countOrders(metrics: ProcessMetrics): (event: AnyEvent) => void {
  metrics.begin('moon_orders_placed_total');
  metrics.begin('moon_fills_total');
  return (event) => {
    if (event.type === 'trade.placed') metrics.count('moon_orders_placed_total');
    else if (event.type === 'trade.executed') metrics.count('moon_fills_total');
    else if (event.type === 'trade.rejected') {
      const { stage, reason } = event.data;
      metrics.count('moon_orders_rejected_total', { stage, reason });
    }
  };
}

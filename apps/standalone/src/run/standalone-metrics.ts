import {
  countOrders,
  haltSamples,
  healthSamples,
  ProcessMetrics,
  sample,
  parkedSamples,
  shardSamples,
  type HealthRegistry,
  type Logger,
  type Sample,
} from '@moon/infra';
import { executionState, type FeedStatus, type LiveRun } from '@moon/kernel';
import type { AnyEvent } from '@moon/events';
import type { Running } from './running';

/** The whole platform counts as one group with one shard: so it has the same rules and panels as a deployment. */
const GROUP = 'standalone';

/** What a platform in one process serves under `/metrics`. */
export class StandaloneMetrics {
  readonly served: ProcessMetrics;
  private readonly counted: (event: AnyEvent) => void;

  constructor(
    private readonly health: HealthRegistry,
    logger: Logger,
  ) {
    this.served = new ProcessMetrics(GROUP, {
      onError: (source, error) => logger.warn({ source, err: error }, 'a source of metrics could not be read'),
    });
    this.counted = countOrders(this.served);
    this.served.begin('moon_handler_failures_total', { group: GROUP });
    this.served.addSource('health', () => healthSamples(health));
  }

  watch(event: AnyEvent): void {
    this.counted(event);
    if (event.type === 'agent.error') this.served.count('moon_handler_failures_total', { group: GROUP });
  }

  /** @param ms wall time of one append to the event store */
  appended(ms: number): void {
    this.served.time('moon_store_append_seconds', ms, { writer: 'log' });
  }

  /** Reads this run from now on. */
  observe(
    { mode, run }: Running,
    { feed, portfolios }: { feed: () => FeedStatus | null; portfolios: readonly string[] },
  ): void {
    const { engine, log } = run;
    this.served.addSource('run', () => [
      sample('moon_shards_expected', 1, { group: GROUP }),
      ...shardSamples(GROUP, '0', {
        isLive: this.health.state === 'READY',
        seq: engine.lastSeq,
        durableSeq: log.durableSeq,
        backlog: log.backlog,
      }),
      ...parkedSamples(GROUP, engine.parking.places()),
      ...haltSamples(
        portfolios.flatMap((name) => {
          const state = executionState(engine, name);
          return state?.portfolio ? [state.portfolio.halts] : [];
        }),
      ),
    ]);
    // A recorded run has no feed that could fail, and its agents are with the others.
    if (mode === 'recorded') return;
    this.served.addSource('feed', () => feedSamples(feed()));
    this.served.addSource('agents', () => agentSamples(run.agents));
  }
}

function feedSamples(feed: FeedStatus | null): Sample[] {
  if (!feed) return [sample('moon_feed_running', false)];
  const refused = Object.values(feed.refusedByReason).reduce((sum, count) => sum + count, 0);
  return [
    sample('moon_feed_running', true),
    sample('moon_feed_published_total', feed.events),
    sample('moon_feed_refused_total', refused),
  ];
}

function agentSamples(agents: LiveRun['agents']): Sample[] {
  return [
    // One that rests after an offence has no thread, but a lag.
    ...agents
      .lags()
      .flatMap(({ agent, lagMs, queued }) => [
        sample('moon_agent_lag_seconds', lagMs / 1_000, { agent }),
        sample('moon_agent_queued_events', queued, { agent }),
      ]),
    ...agents
      .metrics()
      .flatMap(({ agent, handled, failed, busyMs }) => [
        sample('moon_agent_handled_total', handled, { agent }),
        sample('moon_agent_failures_total', failed, { agent }),
        sample('moon_agent_busy_seconds_total', busyMs / 1_000, { agent }),
      ]),
  ];
}

/** What one metric is. Its labels have few values: groups, topics, shards, never ids of events or orders. */
interface MetricDefinition {
  readonly type: 'gauge' | 'counter' | 'histogram';
  readonly labels: readonly string[];
  /** One sentence, with the unit when the name does not end in it. */
  readonly help: string;
}

const gauge = <const L extends readonly string[]>(help: string, ...labels: L) => ({
  ...{ type: 'gauge' as const, labels, help },
});
const counter = <const L extends readonly string[]>(help: string, ...labels: L) => ({
  ...{ type: 'counter' as const, labels, help },
});
const histogram = <const L extends readonly string[]>(help: string, ...labels: L) => ({
  ...{ type: 'histogram' as const, labels, help },
});

/** Upper bounds of every histogram, seconds; 0.01 is the service level of an append (EVS-4). */
export const DURATION_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

/** Every metric of ours that a process serves; each sample has the label `app`, too. Names follow Prometheus' conventions. */
export const METRICS = {
  moon_ready: gauge('1 while the process is READY, else 0.'),
  moon_starting: gauge('1 while the process is still in its start.'),
  moon_component_up: gauge('1 while the component is up, else 0 (SYS-1).', 'component'),
  moon_scrape_errors_total: counter('Readings of a source of metrics that failed or took too long.', 'source'),
  moon_scrape_series_left_out: gauge(
    'Series of a metric, or counts of further ones, that are not served because there are too many.',
    'metric',
  ),

  moon_shards_expected: gauge('Shards that the settings want of the group, whoever holds them.', 'group'),
  moon_shard_live: gauge('1 while the shard, which this process holds, handles live messages.', 'group', 'shard'),
  moon_shard_seq: gauge('Position of what the shard sequenced last.', 'group', 'shard'),
  moon_shard_durable_seq: gauge('Position up to which the shard is stored.', 'group', 'shard'),
  moon_shard_published_seq: gauge('Position up to which what the shard emitted is published.', 'group', 'shard'),
  moon_shard_backlog_events: gauge('Events of the shard that are not stored and published yet.', 'group', 'shard'),
  moon_shards_broken: gauge('Shards of this process that broke and stand still.', 'group'),
  moon_parked_keys: gauge('Keys that stand still at a poisoned event.', 'group'),
  moon_parked_waiting_events: gauge('Deliveries that wait for keys that stand still.', 'group'),
  moon_parked_full_keys: gauge('Keys that stand still and have no room for more opinions and market data.', 'group'),
  moon_handler_failures_total: counter('Deliveries at which a handler threw.', 'group'),

  moon_group_lag_messages: gauge('Messages between what was delivered and the end of the topic.', 'group', 'topic'),
  moon_group_standstill_seconds: gauge('Longest time a partition with messages has delivered none.', 'group'),
  moon_dead_letters_total: counter('Messages that could not be read and were put aside.', 'group'),

  moon_publisher_messages_total: counter('Messages that every replica in sync has acknowledged.', 'publisher'),
  moon_publisher_requests_total: counter('Requests to publish, resent ones too.', 'publisher'),
  moon_publisher_failures_total: counter('Requests to publish that failed.', 'publisher'),
  moon_publisher_troubles_total: counter('Batches that failed three times (BRK-3).', 'publisher'),
  moon_publisher_away: gauge('1 from the third failure of a batch until it is acknowledged.', 'publisher'),
  moon_publisher_backlog_messages: gauge('Messages that are not acknowledged yet.', 'publisher'),
  moon_publisher_backlog_bytes: gauge('Size of the messages that are not acknowledged yet.', 'publisher'),
  moon_publisher_oldest_seconds: gauge('How long the oldest message that is not acknowledged has waited.', 'publisher'),
  moon_publish_acknowledged_seconds: histogram(
    'From a request to publish to the answer of every replica in sync.',
    'publisher',
  ),
  moon_store_append_seconds: histogram('How long the event store took for an append, by who appends.', 'writer'),

  moon_agent_lag_seconds: gauge('Age of the oldest event that waits for the agent.', 'agent'),
  moon_agent_queued_events: gauge('Events that wait for the agent.', 'agent'),
  moon_agent_handled_total: counter('Events that the agent handled.', 'agent'),
  moon_agent_failures_total: counter('Events at which the agent threw.', 'agent'),
  moon_agent_busy_seconds_total: counter('Time that the agent spent handling.', 'agent'),

  moon_portfolios: gauge('Portfolios that this process owns.'),
  moon_halted_portfolios: gauge('Portfolios of this process with a halt of any source.'),
  moon_halts: gauge('Halts of the portfolios of this process, by kind of source.', 'source'),
  moon_orders_placed_total: counter('Orders that the venue accepted.'),
  moon_orders_rejected_total: counter('Orders that were refused, by stage and reason (EXE-4).', 'stage', 'reason'),
  moon_fills_total: counter('Fills, partial ones each.'),

  moon_feed_running: gauge('1 in the process that runs the market feed.'),
  moon_feed_published_total: counter('Events of the feed that are on the broker, or in the engine of a standalone.'),
  moon_feed_refused_total: counter('Messages of the feed that were refused.'),
  moon_feed_pauses_total: counter('How often the feed was held back.'),
  moon_feed_spooled_events: gauge('Events of the feed on disk, while no broker answers.'),
  moon_feed_spool_lost_total: counter(
    'Events of the feed that could not be read back from the disk; their file is kept aside.',
  ),

  moon_recorder_messages_total: counter('Messages that the recorder has archived.'),
  moon_recorder_strangers_total: counter('Messages of store-first events that are in no stream: forged.'),
  moon_recorder_retries_total: counter('Appends of the archive that failed and were tried again.'),
  moon_relay_active: gauge('1 in the process that relays streams to the broker.'),
  moon_relay_published_total: counter('Events of streams that this process has relayed.'),
  moon_relay_waiting_events: gauge('Events of streams that are not relayed yet, at most 10,000.'),
  moon_relay_held_back_seconds: gauge('How long an open transaction has held back what is to be relayed.'),
  moon_retention_failures_total: counter('Attempts to drop expired events or journals that failed.'),
  moon_projections_active: gauge('1 in the process that fills the cache.'),
  moon_projections_written: gauge('1 in the process that fills the cache while that takes what is written.'),
  moon_projections_backlog_updates: gauge('Updates that the cache has not taken yet.'),
  moon_projections_stale_streams: gauge('Streams that could not be folded on: readers see an old state.'),
  moon_cache_up: gauge('1 while the cache answers and takes writes; while it does not, nothing is opened (CCH-4).'),
  moon_brokers: gauge('Brokers that answered last; 0 when none did.'),
  moon_store_synchronous: gauge('1 while commits wait for a standby; served when there is more than one server.'),
  moon_store_standbys: gauge('Servers that follow the primary of the event store.'),
} as const satisfies Record<string, MetricDefinition>;

export type MetricName = keyof typeof METRICS;
/** Labels that a metric wants, besides `app`. */
export type LabelsOf<N extends MetricName> = Record<(typeof METRICS)[N]['labels'][number], string>;
type Typed<T extends MetricDefinition['type']> = {
  [N in MetricName]: (typeof METRICS)[N]['type'] extends T ? N : never;
}[MetricName];
export type CounterName = Typed<'counter'>;
export type HistogramName = Typed<'histogram'>;
/** Labels as the last argument, or none when the metric has none. */
export type LabelArguments<N extends MetricName> = [keyof LabelsOf<N>] extends [never] ? [] : [LabelsOf<N>];

/** One value of a metric, as it is when a process is asked. */
export interface Sample {
  readonly name: Exclude<MetricName, HistogramName>;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A sample whose labels are those of its metric. @param value true is 1, false 0 */
export function sample<N extends Sample['name']>(
  name: N,
  value: number | boolean,
  ...[labels]: LabelArguments<N>
): Sample {
  return { name, labels: labels ?? {}, value: Number(value) };
}

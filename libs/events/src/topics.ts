const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

export interface Topic {
  /** 6, so that groups can divide it among their shards (6 at most); every partition costs brokers at every fetch (ADR 0044). */
  partitions: number;
  /** How long the broker keeps a message; the store keeps store-first events for good. */
  retentionMs: number;
  doc: string;
}

/** Carries more than all others together. Who reads it with others reads it apart: a fetch costs a broker by its partitions. */
export const BUSIEST_TOPIC = 'price.ticks';

const topic = (partitions: number, doc: string, retentionMs = 7 * DAY_MS): Topic => ({ partitions, retentionMs, doc });

/**
 * Every topic of the broker (BRK-1). Topics hold one event type, or the types of one family whose order matters to
 * those who read them: a broker keeps order inside a partition only.
 */
export const TOPICS = {
  'price.ticks': topic(6, 'Prices by token; by far the busiest topic.', DAY_MS),
  'market.bars': topic(6, 'Candles: the open at its stamp, the rest at its close.'),
  'market.books': topic(6, 'Order books and their changes.'),
  'funding.updates': topic(6, 'Funding rates.'),
  'market.liquidations': topic(6, 'Forced orders as the source reported them.'),
  'market.sentiments': topic(6, 'Sentiment readings as the source reported them.'),
  'liquidation.events': topic(6, 'Liquidations counted over a window, by token.'),
  'sentiment.updates': topic(6, 'Sentiment by token on one scale.'),
  'instruments.listed': topic(1, 'The instruments that a venue offers.'),
  'signal.generated': topic(6, 'Opinions of agents.'),
  'signal.errors': topic(6, 'Signals that could not be formed.'),
  'consensus.events': topic(6, 'Windows opened and decided, in order by token.'),
  'correlation.detected': topic(6, 'Sentiment and price moving together.'),
  'inference.requests': topic(6, 'Questions to a model.'),
  'inference.results': topic(6, 'Answers of a model.'),
  'agent.health': topic(3, 'Errors, time-outs and lag of handlers.'),
  'audit.events': topic(3, 'What operators did, skipped and replayed events, parked keys, completed backtests.'),
  'risk.alerts': topic(6, 'Alerts and all-clears of the risk agent, in order by portfolio.'),
  'risk.violations': topic(6, 'Orders that broke a limit.'),
  'order.events': topic(6, 'The life of orders up to the venue, in order by portfolio.'),
  'trade.events': topic(6, 'What became of an order at the venue, fills excepted.'),
  'trade.executed': topic(6, 'Fills.'),
  'trade.closings': topic(6, 'Ordered and forced closings.'),
  'position.closed': topic(6, 'Positions that went flat, with their result.'),
  'venue.reports': topic(6, 'What a venue reported, in its order.'),
  'portfolio.events': topic(6, 'The ledger, in order by portfolio.'),
  'halt.events': topic(1, 'Trading halted and released.'),
  'state.snapshots': topic(6, 'Complete portfolio states.'),
  'state.changes': topic(6, 'What changed in a portfolio state.'),
  'system.events': topic(1, 'Start, stop, configuration, feeds, service levels.'),
  'deadlines.reached': topic(6, 'Durable deadlines that fell due.'),
} as const satisfies Record<string, Topic>;

export type TopicName = keyof typeof TOPICS;

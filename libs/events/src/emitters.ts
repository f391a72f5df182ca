import type { EventType } from './envelope';

const FEED = ['feed/'];
const AGENT = ['agent/'];
const KERNEL = ['kernel'];
const EXECUTION = ['execution'];
const PROCESS = ['process'];
/** What an order's adapters say of it is an input of its owner, which may come to the same by itself. */
const ORDER = [...EXECUTION, 'sender/'];
const ACCOUNT = [...EXECUTION, 'bootstrap'];
const DESK = [...KERNEL, 'operator'];

/**
 * Who emits an event type, by the event's `source`: a name, or what names begin with when it ends in a slash. A source is
 * a claim of whoever wrote the message, no proof: it finds what went astray, and brokers keep strangers out (ADR 0046).
 */
export const EMITTERS: Readonly<Record<EventType, readonly string[]>> = {
  'price.tick': FEED,
  'bar.opened': [...FEED, 'normaliser/'],
  'bar.closed': [...FEED, 'normaliser/'],
  'book.snapshot': FEED,
  'book.delta': FEED,
  'funding.update': FEED,
  'market.liquidation': FEED,
  'market.sentiment': FEED,
  'liquidation.event': ['normaliser/'],
  'sentiment.update': ['normaliser/'],
  'instrument.listed': [...FEED, 'bootstrap'],

  'signal.generated': AGENT,
  'signal.error': AGENT,
  'consensus.opened': ['saga/consensus'],
  'signal.consensus_failed': ['saga/consensus'],
  'trade.consensus_approved': ['saga/consensus'],
  'correlation.detected': AGENT,
  'inference.requested': AGENT,
  'inference.completed': ['model/'],
  'agent.error': KERNEL,
  'agent.lagging': PROCESS,
  'agent.timeout': PROCESS,
  'event.skipped': KERNEL,
  'event.replayed': DESK,
  'key.parked': KERNEL,
  'key.unparked': DESK,
  'risk.ok': AGENT,
  'risk.alert': AGENT,
  'risk.critical': AGENT,
  'risk.cascade_detected': AGENT,
  'risk.constraint_violation': EXECUTION,

  'order.requested': EXECUTION,
  'order.approved': EXECUTION,
  'order.submitted': ORDER,
  'order.outcome_unknown': ORDER,
  'order.withheld': ORDER,
  'order.cancel_requested': EXECUTION,
  'trade.placed': EXECUTION,
  'trade.executed': EXECUTION,
  'trade.rejected': EXECUTION,
  'trade.cancelled': EXECUTION,
  'trade.expired': EXECUTION,
  'trade.close': EXECUTION,
  'trade.force_close': ['saga/force-close'],
  'position.closed': EXECUTION,
  'venue.report': ['venue/'],

  'portfolio.opened': ACCOUNT,
  'portfolio.deposited': ACCOUNT,
  'portfolio.withdrawn': ACCOUNT,
  'portfolio.position_opened': ACCOUNT,
  'portfolio.reserved': EXECUTION,
  'portfolio.reservation_released': EXECUTION,
  'portfolio.fill_booked': EXECUTION,
  'portfolio.funding_booked': EXECUTION,
  'portfolio.liquidated': EXECUTION,
  'portfolio.reconciled': ['reconciler', 'reconciliation'],
  'halt.raised': EXECUTION,
  'halt.lifted': EXECUTION,

  'state.snapshot': ['projection/'],
  'state.changed': ['projection/'],

  'config.activated': ['bootstrap'],
  'system.ready': PROCESS,
  'system.startup_failure': [...PROCESS, 'standalone'],
  'system.stopped': PROCESS,
  'metric.sla_violation': PROCESS,
  'feed.gap': FEED,
  'feed.status': FEED,
  'deadline.reached': ['kernel/deadlines'],
  'operator.command': ['operator', ...PROCESS],
  'backtest.completed': ['moon/backtest'],
};

/** Whether a source is one that emits the type. */
export const mayEmit = (type: EventType, source: string): boolean =>
  EMITTERS[type].some((emitter) => (emitter.endsWith('/') ? source.startsWith(emitter) : source === emitter));

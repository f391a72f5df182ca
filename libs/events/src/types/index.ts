import { orderApproved } from './action/order-approved.v1';
import { orderCancelRequested } from './action/order-cancel-requested.v1';
import { orderOutcomeUnknown } from './action/order-outcome-unknown.v1';
import { orderRequested } from './action/order-requested.v1';
import { orderSubmitted } from './action/order-submitted.v1';
import { orderWithheld } from './action/order-withheld.v1';
import { positionClosed } from './action/position-closed.v1';
import { tradeCancelled } from './action/trade-cancelled.v1';
import { tradeClose } from './action/trade-close.v1';
import { tradeExecuted } from './action/trade-executed.v1';
import { tradeExpired } from './action/trade-expired.v1';
import { tradeForceClose } from './action/trade-force-close.v1';
import { tradePlaced } from './action/trade-placed.v1';
import { tradeRejected } from './action/trade-rejected.v1';
import { venueReport } from './action/venue-report.v1';
import { barClosed } from './market/bar-closed.v1';
import { barOpened } from './market/bar-opened.v1';
import { bookDelta } from './market/book-delta.v1';
import { bookSnapshot } from './market/book-snapshot.v1';
import { fundingUpdate } from './market/funding-update.v1';
import { instrumentListed } from './market/instrument-listed.v1';
import { liquidationEvent } from './market/liquidation-event.v1';
import { marketLiquidation } from './market/market-liquidation.v1';
import { marketSentiment } from './market/market-sentiment.v1';
import { priceTick } from './market/price-tick.v1';
import { sentimentUpdate } from './market/sentiment-update.v1';
import { haltLifted } from './portfolio/halt-lifted.v1';
import { haltRaised } from './portfolio/halt-raised.v1';
import { portfolioDeposited } from './portfolio/portfolio-deposited.v1';
import { portfolioFillBooked } from './portfolio/portfolio-fill-booked.v1';
import { portfolioFundingBooked } from './portfolio/portfolio-funding-booked.v1';
import { portfolioLiquidated } from './portfolio/portfolio-liquidated.v1';
import { portfolioOpened } from './portfolio/portfolio-opened.v1';
import { portfolioPositionOpened } from './portfolio/portfolio-position-opened.v1';
import { portfolioReconciled } from './portfolio/portfolio-reconciled.v1';
import { portfolioReservationReleased } from './portfolio/portfolio-reservation-released.v1';
import { portfolioReserved } from './portfolio/portfolio-reserved.v1';
import { portfolioWithdrawn } from './portfolio/portfolio-withdrawn.v1';
import { agentError } from './processing/agent-error.v1';
import { agentLagging } from './processing/agent-lagging.v1';
import { agentTimeout } from './processing/agent-timeout.v1';
import { consensusOpened } from './processing/consensus-opened.v1';
import { correlationDetected } from './processing/correlation-detected.v1';
import { eventReplayed } from './processing/event-replayed.v1';
import { eventSkipped } from './processing/event-skipped.v1';
import { inferenceCompleted } from './processing/inference-completed.v1';
import { inferenceRequested } from './processing/inference-requested.v1';
import { keyParked } from './processing/key-parked.v1';
import { keyUnparked } from './processing/key-unparked.v1';
import { riskAlert } from './processing/risk-alert.v1';
import { riskCascadeDetected } from './processing/risk-cascade-detected.v1';
import { riskConstraintViolation } from './processing/risk-constraint-violation.v1';
import { riskCritical } from './processing/risk-critical.v1';
import { riskOk } from './processing/risk-ok.v1';
import { signalConsensusFailed } from './processing/signal-consensus-failed.v1';
import { signalError } from './processing/signal-error.v1';
import { signalGeneratedV1 } from './processing/signal-generated.v1';
import { signalGenerated } from './processing/signal-generated.v2';
import { tradeConsensusApproved } from './processing/trade-consensus-approved.v1';
import { stateChanged } from './state/state-changed.v1';
import { stateSnapshot } from './state/state-snapshot.v1';
import { backtestCompleted } from './system/backtest-completed.v1';
import { configActivated } from './system/config-activated.v1';
import { deadlineReached } from './system/deadline-reached.v1';
import { feedGap } from './system/feed-gap.v1';
import { feedStatus } from './system/feed-status.v1';
import { metricSlaViolation } from './system/metric-sla-violation.v1';
import { operatorCommand } from './system/operator-command.v1';
import { systemReady } from './system/system-ready.v1';
import { systemStartupFailure } from './system/system-startup-failure.v1';
import { systemStopped } from './system/system-stopped.v1';

/** The current version of every event type. The order is the order of the reference. */
export const DEFINITIONS = {
  'price.tick': priceTick,
  'bar.opened': barOpened,
  'bar.closed': barClosed,
  'book.snapshot': bookSnapshot,
  'book.delta': bookDelta,
  'funding.update': fundingUpdate,
  'market.liquidation': marketLiquidation,
  'market.sentiment': marketSentiment,
  'liquidation.event': liquidationEvent,
  'sentiment.update': sentimentUpdate,
  'instrument.listed': instrumentListed,

  'signal.generated': signalGenerated,
  'signal.error': signalError,
  'consensus.opened': consensusOpened,
  'signal.consensus_failed': signalConsensusFailed,
  'trade.consensus_approved': tradeConsensusApproved,
  'correlation.detected': correlationDetected,
  'inference.requested': inferenceRequested,
  'inference.completed': inferenceCompleted,
  'agent.error': agentError,
  'agent.lagging': agentLagging,
  'agent.timeout': agentTimeout,
  'event.skipped': eventSkipped,
  'event.replayed': eventReplayed,
  'key.parked': keyParked,
  'key.unparked': keyUnparked,
  'risk.ok': riskOk,
  'risk.alert': riskAlert,
  'risk.critical': riskCritical,
  'risk.cascade_detected': riskCascadeDetected,
  'risk.constraint_violation': riskConstraintViolation,

  'order.requested': orderRequested,
  'order.approved': orderApproved,
  'order.submitted': orderSubmitted,
  'order.outcome_unknown': orderOutcomeUnknown,
  'order.withheld': orderWithheld,
  'order.cancel_requested': orderCancelRequested,
  'trade.placed': tradePlaced,
  'trade.executed': tradeExecuted,
  'trade.rejected': tradeRejected,
  'trade.cancelled': tradeCancelled,
  'trade.expired': tradeExpired,
  'trade.close': tradeClose,
  'trade.force_close': tradeForceClose,
  'position.closed': positionClosed,
  'venue.report': venueReport,

  'portfolio.opened': portfolioOpened,
  'portfolio.deposited': portfolioDeposited,
  'portfolio.withdrawn': portfolioWithdrawn,
  'portfolio.position_opened': portfolioPositionOpened,
  'portfolio.reserved': portfolioReserved,
  'portfolio.reservation_released': portfolioReservationReleased,
  'portfolio.fill_booked': portfolioFillBooked,
  'portfolio.funding_booked': portfolioFundingBooked,
  'portfolio.liquidated': portfolioLiquidated,
  'portfolio.reconciled': portfolioReconciled,
  'halt.raised': haltRaised,
  'halt.lifted': haltLifted,

  'state.snapshot': stateSnapshot,
  'state.changed': stateChanged,

  'config.activated': configActivated,
  'system.ready': systemReady,
  'system.startup_failure': systemStartupFailure,
  'system.stopped': systemStopped,
  'metric.sla_violation': metricSlaViolation,
  'feed.gap': feedGap,
  'feed.status': feedStatus,
  'deadline.reached': deadlineReached,
  'operator.command': operatorCommand,
  'backtest.completed': backtestCompleted,
} as const;

/** Superseded versions; each says how its data becomes that of the next version. Never removed: old logs are read with them. */
export const SUPERSEDED = [signalGeneratedV1] as const;

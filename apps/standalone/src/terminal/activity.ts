import type { AnyEvent } from '@moon/events';

/** One line about a decision, order or halt, with the run time at which it happened (ms). */
export interface Note {
  /** Counts notes from 1. */
  n: number;
  at: number;
  text: string;
}

/** More than the screen shows: plain lines come every few seconds and leave nothing out as a rule. */
const KEPT_NOTES = 500;
/** Reason of the halt that stands until a start has compared the books with the venue's. */
const NOT_COMPARED_YET = 'not_compared_yet';

/** Counts and remembers what the summary shows. It only watches. */
export class Activity {
  events = 0;
  ticks = 0;
  signals = 0;
  decisions = 0;
  orders = 0;
  fills = 0;
  /** Run time of the newest event, ms. */
  lastAt = 0;
  /** The latest notes, oldest first. */
  readonly notes: Note[] = [];
  private noted = 0;

  watch(event: AnyEvent): void {
    this.events += 1;
    this.lastAt = Math.max(this.lastAt, event.occurredAt);
    if (event.headers?.warmup) return;
    if (event.type === 'price.tick' || event.type === 'bar.opened' || event.type === 'bar.closed') {
      this.ticks += 1;
      return;
    }
    if (event.type === 'signal.generated' && event.data.windowId === undefined) this.signals += 1;
    const text = describe(event);
    if (text === null) return;
    if (event.type === 'trade.consensus_approved' || event.type === 'signal.consensus_failed') this.decisions += 1;
    if (event.type === 'order.requested') this.orders += 1;
    if (event.type === 'trade.executed') this.fills += 1;
    this.noted += 1;
    this.notes.push({ n: this.noted, at: event.occurredAt, text });
    if (this.notes.length > KEPT_NOTES) this.notes.shift();
  }
}

/** Source and reason of a halt; a limit's name, which is in both, once. */
function causeOf({ source, reason }: { source: string; reason: string }): string {
  return source === `risk:${reason}` || source.startsWith(`risk:${reason}@`) ? source : `${source}: ${reason}`;
}

/** What a person wants to read of an event; null for everything that goes by. */
function describe(event: AnyEvent): string | null {
  switch (event.type) {
    case 'trade.consensus_approved': {
      const { token, recommended_action, consensus_score, contributing_agents } = event.data;
      return `${token} ${recommended_action} approved, score ${consensus_score.toFixed(1)} by ${contributing_agents.join(', ')}`;
    }
    case 'signal.consensus_failed': {
      const { token, reason, decision } = event.data;
      const score = Math.max(decision.scores.BUY ?? 0, decision.scores.SELL ?? 0);
      return `${token} no trade: ${reason.replaceAll('_', ' ')} (best score ${score.toFixed(1)} of ${decision.threshold} needed)`;
    }
    case 'order.requested':
      return `${event.data.portfolio}: order to ${event.data.side} ${event.data.quantity} ${event.data.instrument}${event.data.reduceOnly ? ', reduce-only' : ''}`;
    case 'trade.executed':
      return `${event.data.portfolio}: ${event.data.side === 'buy' ? 'bought' : 'sold'} ${event.data.quantity} ${event.data.instrument} at ${event.data.price}`;
    case 'trade.rejected':
      return `${event.data.portfolio}: order refused: ${event.data.message}`;
    case 'position.closed':
      return `${event.data.portfolio}: position in ${event.data.instrument} closed, P&L ${event.data.pnl_usd.toFixed(2)}`;
    case 'halt.raised':
      // At every start, and over at once when the books agree.
      if (event.data.reason === NOT_COMPARED_YET)
        return `comparing the books of ${event.data.portfolio ?? 'all'} with the venue`;
      return `HALT ${event.data.portfolio ?? 'all'} by ${causeOf(event.data)}`;
    case 'halt.lifted':
      return event.data.reason === NOT_COMPARED_YET ? null : `halt of ${event.data.source} lifted`;
    case 'risk.alert':
    case 'risk.critical':
    case 'risk.ok':
      return `${event.type} ${event.data.portfolio}: ${event.data.message}`;
    case 'agent.lagging':
      return `${event.data.agent} is ${event.data.lagMs} ms behind`;
    case 'agent.error':
      return `${event.data.agent} failed: ${event.data.error.slice(0, 120)}`;
    case 'feed.gap':
    case 'correlation.detected':
      return event.type === 'feed.gap'
        ? `feed gap: ${event.data.reason}`
        : `${event.data.token} sentiment and price correlate (${event.data.coefficient.toFixed(2)})`;
    default:
      return null;
  }
}

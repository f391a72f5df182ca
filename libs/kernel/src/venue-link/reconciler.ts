import { derivedId, type AnyEvent } from '@moon/events';
import { cmp, sub, type PortfolioState } from '@moon/domain';
import type { EffectAdapter, TimedInput } from '../ports/effect';
import { VenueTimeout, VenueUnreachable, type VenueBooks } from '../ports/venue';
import type { VenueLink } from './venue-link';

export interface ReconcilerOptions {
  link: VenueLink;
  headers: AnyEvent['headers'];
  /** Pause before a venue that did not answer is asked again, run-time ms. */
  retryMs: number;
  /** The owner's present fold. */
  fold: (portfolio: string) => PortfolioState | null;
}

/**
 * Compares a portfolio with the venue's own books when the force close says it is flat, and answers with
 * `portfolio.reconciled`: differences are named, never booked (a fill is never invented).
 */
export function reconciler(options: ReconcilerOptions): EffectAdapter {
  return {
    name: 'reconciler',
    performs: ['trade.force_close'],
    concurrency: 'ordered',
    requestKey: (request) => request.id,
    settledBy: ['portfolio.reconciled'],
    settles: (event) => (event.type === 'portfolio.reconciled' ? event.causationId : null),
    async perform(request, { now }): Promise<TimedInput[] | null> {
      if (request.type !== 'trade.force_close' || request.data.stage !== 'flat') return null;
      try {
        const books = await options.link.venue.books(request.data.portfolio);
        const event = reconciled(request, options.fold(request.data.portfolio), books, options.headers);
        return [{ event, availableAt: now }];
      } catch (error) {
        if (!(error instanceof VenueTimeout || error instanceof VenueUnreachable)) throw error;
        const difference = `The venue did not give its books: ${error.message}`;
        return [{ event: notCompared(request, difference, options.headers), availableAt: now + options.retryMs }];
      }
    },
  };
}

/** `portfolio.reconciled` for a portfolio, its differences being what the venue's books say otherwise. */
export function reconciled(
  cause: AnyEvent,
  fold: PortfolioState | null,
  books: VenueBooks,
  headers: AnyEvent['headers'],
): AnyEvent {
  return reconciledEvent(
    cause,
    fold ? differences(fold, books) : [`Portfolio ${books.portfolio} is not known here.`],
    headers,
  );
}

/** What the venue's books say otherwise than the portfolio, one sentence each. */
export function differences(fold: PortfolioState, books: VenueBooks): string[] {
  const found: string[] = [];
  const compare = (what: string, ours: string, theirs: string): void => {
    if (cmp(ours, theirs) !== 0)
      found.push(`${what}: ${ours} here, ${theirs} at the venue (${sub(theirs, ours)} more there).`);
  };
  compare('cash', fold.cash, books.cash);
  const ids = new Set([...Object.keys(fold.positions), ...books.positions.map((position) => position.instrument)]);
  for (const id of [...ids].sort()) {
    const theirs = books.positions.find((position) => position.instrument === id);
    compare(`${id} quantity`, fold.positions[id]?.quantity ?? '0', theirs?.quantity ?? '0');
    compare(`${id} cost basis`, fold.positions[id]?.costBasis ?? '0', theirs?.costBasis ?? '0');
  }
  return found;
}

function notCompared(cause: AnyEvent, why: string, headers: AnyEvent['headers']): AnyEvent {
  const event = reconciledEvent(cause, [why], headers);
  return { ...event, data: { ...event.data, isCompared: false } } as AnyEvent;
}

function reconciledEvent(cause: AnyEvent, found: string[], headers: AnyEvent['headers']): AnyEvent {
  const portfolio = cause.key;
  return {
    id: derivedId(cause.id, 'reconciler', 0),
    ...{
      type: 'portfolio.reconciled',
      schemaVersion: 1,
      source: 'reconciler',
      key: portfolio,
      occurredAt: cause.occurredAt,
    },
    ...{ correlationId: cause.correlationId, causationId: cause.id },
    data: { event_type: 'portfolio.reconciled', portfolio, differences: found, timestamp: cause.occurredAt },
    headers,
  } as AnyEvent;
}

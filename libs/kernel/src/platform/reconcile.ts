import { inputId, type AnyEvent } from '@moon/events';
import type { Engine } from '../core/engine';
import type { VenuePort } from '../ports/venue';
import { differences } from '../venue-link/reconciler';
import { executionState } from './assemble';

/**
 * Compares every portfolio with its venue's own books: the inputs that make the platform reconciled, or name what
 * differs. Nothing is booked because of a difference (a fill is never invented).
 */
export async function reconcileAll(
  engine: Engine,
  venue: VenuePort,
  portfolios: readonly string[],
  at: number,
  headers: AnyEvent['headers'],
): Promise<AnyEvent[]> {
  const events: AnyEvent[] = [];
  for (const portfolio of portfolios) {
    const fold = executionState(engine, portfolio)?.portfolio ?? null;
    const found = fold
      ? differences(fold, await venue.books(portfolio))
      : [`Portfolio "${portfolio}" was never opened here.`];
    const id = inputId({
      source: 'reconciliation',
      kind: 'portfolio.reconciled',
      instrument: portfolio,
      venueTime: at,
      values: found,
    });
    events.push({
      ...{
        id,
        type: 'portfolio.reconciled',
        schemaVersion: 1,
        source: 'reconciliation',
        key: portfolio,
        occurredAt: at,
      },
      ...{ correlationId: id, causationId: null, headers },
      data: { event_type: 'portfolio.reconciled', portfolio, differences: found, timestamp: at },
    });
  }
  return events;
}

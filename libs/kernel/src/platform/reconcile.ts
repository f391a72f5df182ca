import { inputId, type AnyEvent } from '@moon/events';
import type { Engine } from '../core/engine';
import { VenueTimeout, VenueUnreachable, type VenuePort } from '../ports/venue';
import { differences } from '../venue-link/reconciler';
import type { VenueLink } from '../venue-link/venue-link';
import { executionState } from './assemble';

/** Says that a portfolio has not been compared with its venue since this start. */
const NOT_COMPARED = 'The books have not been compared with the venue since the start.';

interface Comparison {
  portfolio: string;
  differences: readonly string[];
  /** False when nothing was compared, and the differences say why; default: true. */
  isCompared?: boolean;
  at: number;
  /** The log's present end: two equal comparisons of one instant are different ones, also after a clock went back. */
  seq: number;
  headers: AnyEvent['headers'];
}

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
    const found = await booksDiffer(engine, venue, portfolio);
    events.push(comparison({ portfolio, differences: found, at, seq: engine.lastSeq, headers }));
  }
  return events;
}

/** The inputs of a restart that take back an earlier comparison: until there is a new one no order opens anything. */
export function notCompared(
  engine: Engine,
  portfolios: readonly string[],
  at: number,
  headers: AnyEvent['headers'],
): AnyEvent[] {
  return portfolios
    .filter((portfolio) => typeof executionState(engine, portfolio)?.portfolio?.reconciledAt === 'number')
    .map((portfolio) =>
      comparison({ portfolio, differences: [NOT_COMPARED], isCompared: false, at, seq: engine.lastSeq, headers }),
    );
}

/** What the venue's books say otherwise, one sentence each. @throws VenueTimeout | VenueUnreachable */
export async function booksDiffer(engine: Engine, venue: VenuePort, portfolio: string): Promise<string[]> {
  const books = await venue.books(portfolio);
  const fold = executionState(engine, portfolio)?.portfolio ?? null;
  return fold ? differences(fold, books) : [`Portfolio "${portfolio}" was never opened here.`];
}

/** The input that says how a comparison went. */
export function comparison({
  portfolio,
  differences: found,
  isCompared = true,
  at,
  seq,
  headers,
}: Comparison): AnyEvent {
  const id = inputId({
    source: 'reconciliation',
    kind: 'portfolio.reconciled',
    instrument: portfolio,
    venueTime: at,
    values: [seq, ...found],
  });
  return {
    ...{ id, type: 'portfolio.reconciled', schemaVersion: 1, source: 'reconciliation', key: portfolio },
    ...{ occurredAt: at, correlationId: id, causationId: null, headers },
    data: {
      event_type: 'portfolio.reconciled',
      portfolio,
      differences: [...found],
      ...(!isCompared && { isCompared }),
      timestamp: at,
    },
  };
}

export interface ReconciliationOptions {
  engine: Engine;
  link: VenueLink;
  headers: AnyEvent['headers'];
  now: () => number;
  submit: (event: AnyEvent) => void;
  /** For the process's own log. */
  onProblem: (message: string, context: Record<string, unknown>) => void;
  /** A repeated comparison failed otherwise than by silence. Nobody is told once it is stopped. */
  onFatal: (error: Error) => void;
  /** Pause before the second comparison, wall ms; doubled with each further one. */
  retryMs?: number;
  /** Longest pause, wall ms. */
  longestRetryMs?: number;
}

/**
 * Compares portfolios with the venue's books, again and again with growing pauses, until they agree: a venue that is
 * silent is asked again, and a difference may be made up for by reports that come in. What was not found before
 * becomes an input each time; until books agree, the portfolio is not reconciled and opens nothing.
 */
export class Reconciliation {
  private readonly timers = new Map<string, NodeJS.Timeout>();
  /** What is known of each portfolio. */
  private readonly told = new Map<string, string>();
  private isStopped = false;

  constructor(private readonly options: ReconciliationOptions) {}

  /** Resolves when every portfolio was compared once, or the venue did not answer. */
  async start(portfolios: readonly string[]): Promise<void> {
    for (const portfolio of portfolios) await this.compare(portfolio, this.options.retryMs ?? 500);
  }

  stop(): void {
    this.isStopped = true;
    for (const timer of this.timers.values()) clearTimeout(timer);
    this.timers.clear();
  }

  private async compare(portfolio: string, retryMs: number): Promise<void> {
    const { found, isCompared } = await this.differencesOf(portfolio);
    if (this.isStopped) return;
    const text = found.join('\n');
    if (this.told.get(portfolio) !== text) {
      this.told.set(portfolio, text);
      const { now, headers, submit, onProblem, engine } = this.options;
      const seq = engine.lastSeq;
      const event = comparison({ portfolio, differences: found, isCompared, at: now(), seq, headers });
      submit(event);
      if (found.length > 0) {
        const context = { portfolio, differences: found, event: event.id, correlationId: event.correlationId };
        onProblem('the portfolio is not reconciled with its venue and opens nothing', context);
      }
    }
    if (found.length > 0) this.compareLater(portfolio, retryMs);
  }

  private compareLater(portfolio: string, retryMs: number): void {
    const { longestRetryMs = 30_000, onFatal } = this.options;
    const again = (): void => {
      this.compare(portfolio, Math.min(longestRetryMs, 2 * retryMs)).catch((error: unknown) => {
        if (!this.isStopped) onFatal(error instanceof Error ? error : new Error(String(error)));
      });
    };
    const timer = setTimeout(again, retryMs);
    timer.unref();
    this.timers.set(portfolio, timer);
  }

  private async differencesOf(portfolio: string): Promise<{ found: string[]; isCompared: boolean }> {
    const { engine, link, submit } = this.options;
    try {
      for (const event of await link.catchUp(portfolio)) submit(event);
      return { found: await booksDiffer(engine, link.venue, portfolio), isCompared: true };
    } catch (error) {
      if (!(error instanceof VenueTimeout || error instanceof VenueUnreachable)) throw error;
      return { found: [`The venue did not give its books: ${error.message}`], isCompared: false };
    }
  }
}

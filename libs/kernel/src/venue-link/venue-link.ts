import { inputId, withEventType, type AnyEvent, type EventType } from '@moon/events';
import type { Companion } from '../core/engine-options';
import type { Awaitable, VenuePort, VenueReport } from '../ports/venue';

/** Types that a venue's books follow. */
export const MARKET_TYPES: ReadonlySet<EventType> = new Set([
  'price.tick',
  'bar.opened',
  'bar.closed',
  'book.snapshot',
  'book.delta',
  'funding.update',
  'instrument.listed',
]);

/** True for an event that moves a venue; the warm-up does not. */
export function isMarketEvent(event: AnyEvent): boolean {
  return MARKET_TYPES.has(event.type) && event.headers?.warmup !== true;
}

/** What a run begins with tells its venue nothing: of instruments it knows what the code knows. */
const isNews = ({ source }: AnyEvent): boolean => source !== 'bootstrap';

type ReportEvent = Extract<AnyEvent, { type: 'venue.report' }>;

interface Lineage {
  id: string;
  correlationId: string;
}

/** Orders whose lineage is kept at least, for late fills; at most twice as many. */
const REMEMBERED_ORDERS = 2_000;
/** Market events that are fed again after a restart, in case the venue never got them; the venue knows them by their ids. */
const FED_AGAIN = 20_000;
/** Few enough to be answered well within a request's time-out. */
const FED_AT_ONCE = 250;

interface LinkState {
  lastSeq: Record<string, number>;
  orders: Array<[orderId: string, lineage: Lineage]>;
  lastMarket: Lineage | null;
}

/**
 * Connects one venue to the machine: feeds it market events, and turns its reports into `venue.report` inputs,
 * each exactly once, in the venue's order, with the order (or market event) that caused it as its cause.
 */
export class VenueLink implements Companion {
  readonly name = 'venue-link';
  /** Number of the newest report of each portfolio that an event was made of. */
  private readonly lastSeq = new Map<string, number>();
  /** Events of reports that the engine has not dispatched yet, in the venue's order, by portfolio. */
  private readonly made = new Map<string, ReportEvent[]>();
  private readonly orders = new Map<string, Lineage>();
  /** Reports that a restart found waiting; each comes in at its own time. */
  private waiting: AnyEvent[] = [];
  /** Numbers of the last reports that a restart knows the venue has made. */
  private readonly madeSeq = new Map<string, number>();
  /** The event itself or what a checkpoint kept of it; the ids of a recorded input are computed only when they are asked for. */
  private lastMarket: Lineage | null = null;
  /** Logged market events since the checkpoint, until `resume`. */
  private logged: AnyEvent[] | null = [];
  /** Portfolios with an account, from `resume` on. */
  private portfolios: readonly string[] = [];

  constructor(
    readonly venue: VenuePort,
    private readonly headers: AnyEvent['headers'],
    /** True when a call crosses a process boundary. */
    readonly isRemote: boolean,
    /**
     * Where several links share the venue: whether a portfolio is this one's. An answer of the venue names those of all, and
     * whose report another link was answered asks for it. Without it, all are.
     */
    private readonly owns: ((portfolio: string) => boolean) | null = null,
  ) {}

  /** Watches every event of the log, so that a restart knows how far the venue's reports had come. */
  observe(event: AnyEvent): void {
    if (event.type === 'order.submitted') {
      this.orders.set(event.data.order_id, { id: event.id, correlationId: event.correlationId });
      if (this.orders.size > 2 * REMEMBERED_ORDERS) this.forgetOrders();
    } else if (event.type === 'venue.report') {
      const { portfolio, venueSeq } = event.data;
      this.lastSeq.set(portfolio, Math.max(venueSeq, this.lastSeq.get(portfolio) ?? 0));
      const made = this.made.get(portfolio);
      while (made?.[0] && made[0].data.venueSeq <= venueSeq) made.shift();
    }
    if (!isMarketEvent(event)) return;
    this.lastMarket = event;
    this.logged?.push(event);
    if (this.logged && this.logged.length > 2 * FED_AGAIN) this.logged = this.logged.slice(-FED_AGAIN);
  }

  /** In one block: after every single removal the next oldest would be looked for behind the places of all removed ones. */
  private forgetOrders(): void {
    for (const oldest of this.orders.keys()) {
      if (this.orders.size <= REMEMBERED_ORDERS) return;
      this.orders.delete(oldest);
    }
  }

  snapshot(): LinkState {
    const { lastMarket } = this;
    const inLog = [...this.lastSeq].map(([portfolio, seq]): [string, number] => {
      const [next] = this.made.get(portfolio) ?? [];
      return [portfolio, next ? next.data.venueSeq - 1 : seq];
    });
    return {
      // What has not come in is asked for again.
      lastSeq: Object.fromEntries(inLog),
      orders: [...this.orders].slice(-REMEMBERED_ORDERS),
      lastMarket: lastMarket && { id: lastMarket.id, correlationId: lastMarket.correlationId },
    };
  }

  restore(state: unknown): void {
    const { lastSeq, orders, lastMarket } = state as LinkState;
    for (const [portfolio, seq] of Object.entries(lastSeq)) this.lastSeq.set(portfolio, seq);
    for (const [orderId, lineage] of orders) this.orders.set(orderId, lineage);
    this.lastMarket = lastMarket;
  }

  /** Feeds a market event; answers what follows from it at the venue. */
  market(event: AnyEvent): Awaitable<AnyEvent[]> {
    if (!isNews(event)) return NOTHING;
    this.lastMarket = event;
    return this.take(this.venue.market(event));
  }

  advanceTo(ms: number): Awaitable<AnyEvent[]> {
    const due: AnyEvent[] = [];
    while (this.waiting[0] && this.waiting[0].occurredAt <= ms) {
      const event = this.waiting.shift();
      if (event) due.push(event);
      if (event?.type === 'venue.report') this.lastSeq.set(event.data.portfolio, event.data.venueSeq);
    }
    const { owns } = this;
    const fired = owns ? this.firedByAny(ms, owns) : this.take(this.venue.advanceTo(ms));
    return fired instanceof Promise ? fired.then((events) => [...due, ...events]) : [...due, ...fired];
  }

  /** Another link may have moved the venue's time there first, and got the reports of this one's portfolios. */
  private async firedByAny(ms: number, owns: (portfolio: string) => boolean): Promise<AnyEvent[]> {
    const named = (await this.venue.advanceTo(ms)).map(({ portfolio }) => portfolio).filter(owns);
    const asked = [...new Set([...this.portfolios, ...named])].map(async (portfolio) =>
      this.venue.reportsSince(portfolio, this.lastSeq.get(portfolio) ?? 0),
    );
    // Only when all are there: a report counts as come in once its event is made.
    const missed = await Promise.all(asked);
    return missed.flatMap((reports) => this.toEvents(reports)).sort((a, b) => a.occurredAt - b.occurredAt);
  }

  nextDueAt(): Awaitable<number | null> {
    const held = this.waiting[0]?.occurredAt ?? null;
    const due = this.venue.nextDueAt();
    return due instanceof Promise ? due.then((at) => earliest(at, held)) : earliest(due, held);
  }

  /**
   * The inputs of a venue's answer, as far as it is about this link's portfolios. Reports that it sent before and that never
   * arrived are fetched first.
   */
  take(given: Awaitable<VenueReport[]>): Awaitable<AnyEvent[]> {
    if (given instanceof Promise) return given.then((reports) => this.take(reports));
    if (given.length === 0) return NOTHING;
    const { owns } = this;
    const answer = owns ? given.filter(({ portfolio }) => owns(portfolio)) : given;
    if (answer.length === 0) return NOTHING;
    const [first] = answer;
    // Nearly always it is one report, the next one.
    if (answer.length === 1 && first && first.venueSeq <= (this.lastSeq.get(first.portfolio) ?? 0) + 1)
      return this.toEvents(answer);
    const missing = answer.find((report) => report.venueSeq > this.nextSeq(report.portfolio, answer));
    return missing === undefined ? this.toEvents(answer) : this.fetch(answer);
  }

  /**
   * Reports of the same portfolio that the venue made before this one and that have not been dispatched. The answers of two
   * calls reach the engine by ways of different length: whoever brings the later report brings these first.
   */
  before(event: AnyEvent): readonly AnyEvent[] {
    if (event.type !== 'venue.report') return NOTHING;
    const { portfolio, venueSeq } = event.data;
    const made = this.made.get(portfolio);
    if (!made || !made[0] || made[0].data.venueSeq >= venueSeq) return NOTHING;
    return made.filter(({ data }) => data.venueSeq < venueSeq);
  }

  /** Everything that the venue has reported of a portfolio and that has not come in; nothing while reports wait for their time. */
  async catchUp(portfolio: string): Promise<AnyEvent[]> {
    if (this.waiting.length > 0) return [];
    return this.toEvents(await this.venue.reportsSince(portfolio, this.lastSeq.get(portfolio) ?? 0));
  }

  /**
   * After a restart: feeds the venue what the log holds and it may not have got, and finds the reports that the log does
   * not hold. Answers those that are due now. In lock-step the others come in at their own time: what a later market event
   * caused comes again with that event, the rest waits for its timestamp. Live, everything is due.
   */
  async resume(portfolios: readonly string[], isLockstep: boolean): Promise<AnyEvent[]> {
    this.portfolios = portfolios;
    const logged = await this.feedAgain();
    const fed = new Set(logged.map((event) => event.id));
    const due: AnyEvent[] = [];
    for (const portfolio of portfolios) {
      const last = this.lastSeq.get(portfolio) ?? 0;
      const missed = await this.venue.reportsSince(portfolio, last);
      this.madeSeq.set(portfolio, missed[missed.length - 1]?.venueSeq ?? last);
      const causes = isLockstep ? await this.venue.marketCauses(portfolio, last) : {};
      for (const report of missed) {
        const cause = causes[report.venueSeq];
        const isDue = !isLockstep || (cause !== undefined && fed.has(cause));
        if (isDue) due.push(...this.toEvents([report]));
        else if (cause === undefined) this.waiting.push(this.toEvent(report));
      }
    }
    this.waiting.sort((a, b) => a.occurredAt - b.occurredAt);
    return due;
  }

  /** Feeds the venue the market events of the log since the checkpoint, and answers them; what the venue reports, `resume` finds. */
  async feedAgain(): Promise<readonly AnyEvent[]> {
    const logged = this.logged ?? [];
    this.logged = null;
    const again = logged.slice(-FED_AGAIN).filter(isNews);
    // As live: a venue takes them in the order of the calls, and nobody waits for one answer before the next call.
    for (let from = 0; from < again.length; from += FED_AT_ONCE)
      await Promise.all(again.slice(from, from + FED_AT_ONCE).map(async (event) => this.venue.market(event)));
    return logged;
  }

  /** True when every report has come in that the venue had made by the restart. */
  get isCaughtUp(): boolean {
    return [...this.madeSeq].every(([portfolio, made]) => (this.lastSeq.get(portfolio) ?? 0) >= made);
  }

  /** The highest number that a report of this answer may have without one missing before it. */
  private nextSeq(portfolio: string, answer: readonly VenueReport[]): number {
    const numbers = answer.filter((report) => report.portfolio === portfolio).map((report) => report.venueSeq);
    let next = (this.lastSeq.get(portfolio) ?? 0) + 1;
    while (numbers.includes(next)) next += 1;
    return next - 1;
  }

  private async fetch(answer: readonly VenueReport[]): Promise<AnyEvent[]> {
    const events: AnyEvent[] = [];
    for (const portfolio of new Set(answer.map((report) => report.portfolio))) {
      events.push(...this.toEvents(await this.venue.reportsSince(portfolio, this.lastSeq.get(portfolio) ?? 0)));
    }
    return events.sort((a, b) => a.occurredAt - b.occurredAt);
  }

  /** The events of reports that have not come in yet. */
  private toEvents(reports: readonly VenueReport[]): AnyEvent[] {
    const events: AnyEvent[] = [];
    for (const report of reports) {
      const last = this.lastSeq.get(report.portfolio) ?? 0;
      if (report.venueSeq <= last) continue;
      if (report.venueSeq !== last + 1) {
        throw new Error(
          `Venue ${this.venue.name} jumped from report ${last} to ${report.venueSeq} of portfolio "${report.portfolio}": reports are missing.`,
        );
      }
      this.lastSeq.set(report.portfolio, report.venueSeq);
      const event = this.toEvent(report);
      const made = this.made.get(report.portfolio);
      if (made) made.push(event);
      else this.made.set(report.portfolio, [event]);
      events.push(event);
    }
    return events;
  }

  private toEvent(report: VenueReport): ReportEvent {
    const cause = (report.order_id === undefined ? null : this.orders.get(report.order_id)) ?? this.lastMarket;
    const id = inputId({
      source: `venue/${this.venue.name}`,
      kind: 'venue.report',
      instrument: report.instrument ?? '',
      venueTime: report.timestamp,
      values: [report.portfolio, report.reportId],
      ordinal: 0,
    });
    return {
      id,
      type: 'venue.report',
      schemaVersion: 1,
      source: `venue/${this.venue.name}`,
      key: report.portfolio,
      occurredAt: report.timestamp,
      correlationId: cause?.correlationId ?? id,
      causationId: cause?.id ?? null,
      data: withEventType('venue.report', report),
      headers: this.headers,
    };
  }
}

const NOTHING: AnyEvent[] = [];

function earliest(a: number | null, b: number | null): number | null {
  if (a === null) return b;
  return b === null ? a : Math.min(a, b);
}

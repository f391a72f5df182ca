import type { AnyEvent, EventData } from '@moon/events';
import {
  abs,
  add,
  CurveSampler,
  createPriceBook,
  DrawdownWatch,
  evolvePortfolio,
  findInstrument,
  foldPrice,
  neg,
  sign,
  sub,
  toNumber,
  type ClosedTrade,
  type DayClose,
  type Decimal,
  type PortfolioRecording,
  type PortfolioState,
  type PriceBook,
  type RecordedFill,
  type RecordedFunding,
  type TradeOrigin,
} from '@moon/domain';
import type { BookEvent } from './book-event';
import { exactEquity, exactValues } from './exact';
import type { Origins } from './origins';
import { PositionTracks, type PositionTrack } from './position-track';

/** A position in float64, as an observation needs it. */
interface Line {
  instrument: string;
  /** Value at a price: units × price, or units ÷ price for inverse contracts. */
  units: number;
  isInverse: boolean;
  cost: number;
  openedAt: number;
  track: PositionTrack;
}

/** What a portfolio's recorder asks of the run's. */
export interface Surroundings {
  origins: Origins;
  /** Stamp of the observation that a price source's latest price is of, epoch ms. */
  stampOf: (source: string) => number | undefined;
  /** Told of every fill, in order. */
  onFill: (fill: RecordedFill) => void;
}

const BOOTSTRAP = 'bootstrap';

/**
 * Follows one portfolio through a run and makes its recording. The books are the ledger's own fold (`evolvePortfolio`), so
 * the equity curve is the ledger by construction; what is worth is worked out in float64 at each observation, and in
 * decimals at each day's last one and at the end. An observation costs O(open positions) and allocates nothing.
 */
export class PortfolioRecorder {
  /** Set when a price of this portfolio came since the last observation. */
  isPriced = false;
  private state: PortfolioState;
  private readonly book: PriceBook;
  private readonly sourceOf: ReadonlyMap<string, string>;
  private lines: Line[] = [];
  private readonly tracks = new PositionTracks();
  private cash = 0;
  private startEquity: Decimal = '0';
  private startsAt = 0;
  private lastAt = 0;
  private observations = 0;
  private watch: DrawdownWatch | null = null;
  private curve: CurveSampler | null = null;
  /** Flows since the last observation, and since the day began. */
  private flow = 0;
  private dayFlow: Decimal = '0';
  private isStale = false;
  /** Gross notional ÷ equity since `exposureAt`, and its integral over time. */
  private exposure = 0;
  private exposureAt = 0;
  private exposureArea = 0;
  private exposedMs = 0;
  /** Since when anything is held, epoch ms; null when flat. */
  private heldSince: number | null = null;
  /** The newest `trade.executed`, until its fill is booked; and the liquidation whose fill is about to be. */
  private execution: Extract<AnyEvent, { type: 'trade.executed' }> | null = null;
  private liquidationId: string | null = null;
  private readonly days: DayClose[] = [];
  private readonly trades: ClosedTrade[] = [];
  private readonly fills: RecordedFill[] = [];
  private readonly fundings: RecordedFunding[] = [];

  constructor(
    opened: Extract<AnyEvent, { type: 'portfolio.opened' }>,
    private readonly around: Surroundings,
  ) {
    this.state = evolvePortfolio(undefined, opened);
    this.book = createPriceBook(opened.data.instruments);
    this.sourceOf = new Map(opened.data.instruments.map(({ instrument, priceSource }) => [instrument, priceSource]));
  }

  /** The instruments whose prices value it. */
  get priceSources(): string[] {
    return Object.keys(this.book.sources);
  }

  /** The first price of the run is about to be told: from here on what moves is recorded. */
  begin(at: number): void {
    this.startEquity = exactEquity(this.state, {});
    this.startsAt = at;
    this.lastAt = at;
    this.exposureAt = at;
    if (this.heldSince !== null) this.heldSince = at;
    this.watch = new DrawdownWatch(at, toNumber(this.startEquity));
    this.curve = new CurveSampler(at, toNumber(this.startEquity));
  }

  /** Takes a price into the book; a bar's close and a tick ask for an observation, a bar's open does not. */
  price(event: AnyEvent): void {
    const priced = foldPrice(this.book, event);
    if (priced.length === 0 || event.type === 'bar.opened') return;
    this.isPriced = true;
    if (this.lines.length > 0 && event.type === 'bar.closed') this.extremes(event.data, priced);
  }

  /** Values the portfolio as it stands: the end of an instant with prices. */
  observe(at: number): void {
    this.isPriced = false;
    this.observations += 1;
    const { lines } = this;
    if (lines.length === 0 && !this.isStale) {
      this.lastAt = at;
      return;
    }
    this.lastAt = at;
    this.isStale = false;
    this.accrue(at);
    const equity = this.equity();
    this.watch?.observe(at, equity, this.flow);
    this.curve?.observe(at, equity);
    this.flow = 0;
  }

  /** The UTC day that began at `day` is over: what it was worth at its end, exact. */
  closeDay(day: number): void {
    const equity = exactEquity(this.state, this.book.marks);
    this.equity();
    this.days.push({ day, equity, flow: this.dayFlow, exposure: this.exposure });
    this.dayFlow = '0';
  }

  /** What the venue executed; the ledger's fill follows. */
  executed(event: Extract<AnyEvent, { type: 'trade.executed' }>): void {
    this.execution = event;
  }

  booked(event: BookEvent): void {
    const before = this.state;
    if (event.type === 'portfolio.fill_booked' && this.lines.length === 0) this.curveBeforeStep();
    this.state = evolvePortfolio(before, event);
    switch (event.type) {
      case 'portfolio.deposited':
      case 'portfolio.withdrawn':
        if (event.source !== BOOTSTRAP) this.flowed(event.type === 'portfolio.deposited', event.data.amount);
        break;
      case 'portfolio.position_opened':
        this.tracks.initial(event);
        break;
      case 'portfolio.liquidated':
        this.liquidationId = event.id;
        return;
      case 'portfolio.fill_booked':
        this.filled(event, before);
        break;
      case 'portfolio.funding_booked':
        this.funded(event);
        break;
      case 'position.closed':
        this.ended(event);
        return;
    }
    this.relist(event.occurredAt);
  }

  /** The whole recording. The run must have begun. */
  finish(): PortfolioRecording {
    const finalEquity = exactEquity(this.state, this.book.marks);
    // What came after the last price counts too: a fee, a flow.
    if (this.isStale) this.observe(this.lastAt);
    this.accrue(this.lastAt);
    const span = this.lastAt - this.startsAt;
    return {
      portfolio: this.state.portfolio,
      settlementAsset: this.state.config.settlementAsset,
      ...{ startsAt: this.startsAt, endsAt: this.lastAt, startEquity: this.startEquity, finalEquity },
      ...{ finalCash: this.state.cash, observations: this.observations, days: this.days },
      worst: this.watch?.worst() ?? { depth: 0, amount: 0, peakAt: this.startsAt, troughAt: this.startsAt },
      curve: this.curve?.points() ?? [],
      ...{ trades: this.trades, fills: this.fills, fundings: this.fundings, open: this.openPositions() },
      exposedMs: this.exposedMs + this.exposedSince(this.lastAt),
      meanExposure: span > 0 ? this.exposureArea / span : 0,
    };
  }

  private exposedSince(at: number): number {
    return this.heldSince === null ? 0 : Math.max(0, at - this.heldSince);
  }

  private accrue(at: number): void {
    if (at <= this.exposureAt) return;
    this.exposureArea += this.exposure * (at - this.exposureAt);
    this.exposureAt = at;
  }

  /** Equity in float64; leaves the exposure behind, too. */
  private equity(): number {
    const { lines, book } = this;
    const isPaid = this.state.config.accountModel !== 'margin';
    let equity = this.cash;
    let gross = 0;
    for (let index = 0; index < lines.length; index += 1) {
      const line = lines[index] as Line;
      const mark = book.marks[line.instrument];
      const value = mark === undefined ? line.cost : line.isInverse ? line.units / mark : line.units * mark;
      equity += isPaid ? value : value - line.cost;
      gross += value < 0 ? -value : value;
      line.track.seen(value - line.cost);
    }
    this.exposure = gross > 0 && equity > 0 ? gross / equity : 0;
    return equity;
  }

  /** A bar's high and low count for the positions that were held all through it. */
  private extremes({ high, low, openedAt }: EventData<'bar.closed'>, priced: readonly string[]): void {
    for (const line of this.lines) {
      if (line.openedAt > openedAt || !priced.includes(line.instrument)) continue;
      line.track.seen((line.isInverse ? line.units / high : line.units * high) - line.cost);
      line.track.seen((line.isInverse ? line.units / low : line.units * low) - line.cost);
    }
  }

  /** The curve of a flat account has no points; one before the step keeps the way there level. */
  private curveBeforeStep(): void {
    if (this.curve !== null && this.lastAt > this.startsAt) this.curve.observe(this.lastAt, this.cash);
  }

  private flowed(isDeposit: boolean, amount: Decimal): void {
    const flow = isDeposit ? amount : neg(amount);
    this.flow += toNumber(flow);
    this.dayFlow = add(this.dayFlow, flow);
  }

  private filled(event: Extract<AnyEvent, { type: 'portfolio.fill_booked' }>, before: PortfolioState): void {
    const { instrument, side, fillId, order_id: orderId } = event.data;
    const executed = this.execution?.data.fillId === fillId ? this.execution : null;
    const origin = this.originOf(event, executed);
    if (executed?.data.status === 'FILLED') this.around.origins.forget(orderId);
    const stamp = this.around.stampOf(this.sourceOf.get(instrument) ?? instrument);
    const { token, quantity, price, fee, timestamp: at } = event.data;
    const fill: RecordedFill = {
      id: origin.eventId,
      orderId: executed === null ? null : orderId,
      ...{ at, token, instrument, side, quantity, price, fee },
      liquidity: executed?.data.liquidity ?? 'taker',
      priceStamp: stamp ?? at,
    };
    this.fills.push(fill);
    this.around.onFill(fill);
    const held = (state: PortfolioState): Decimal => state.positions[instrument]?.quantity ?? '0';
    this.tracks.filled(event.data, { before: held(before), after: held(this.state), origin });
    this.execution = null;
    this.liquidationId = null;
  }

  private originOf(
    event: Extract<AnyEvent, { type: 'portfolio.fill_booked' }>,
    executed: Extract<AnyEvent, { type: 'trade.executed' }> | null,
  ): TradeOrigin {
    if (executed === null) {
      const eventId = this.liquidationId ?? event.id;
      const reason = this.liquidationId === null ? 'other' : 'liquidation';
      return { eventId, orderId: null, reason, decisionId: null, agents: [] };
    }
    const orderId = event.data.order_id;
    const known = this.around.origins.of(orderId);
    if (known === null) return { eventId: executed.id, orderId, reason: 'other', decisionId: null, agents: [] };
    const { reason, decisionId, agents } = known;
    return { eventId: executed.id, orderId: known.orderId, reason, decisionId, agents };
  }

  private funded({ data }: Extract<AnyEvent, { type: 'portfolio.funding_booked' }>): void {
    const { timestamp: at, token, instrument, rate, amount } = data;
    this.fundings.push({ at, token, instrument, rate, amount });
  }

  private ended({ id, data }: Extract<AnyEvent, { type: 'position.closed' }>): void {
    const { token, instrument, side, quantity, openedAt, timestamp: closedAt, realisedPnl, fees, funding } = data;
    const { track, exit } = this.tracks.takeClosed(instrument);
    const { entryPrice, exitPrice, mae, mfe, entry } = track;
    this.trades.push({
      ...{ id, token, instrument, side, quantity, openedAt, closedAt, entryPrice, exitPrice },
      ...{ grossPnl: realisedPnl, fees, funding, netPnl: add(sub(realisedPnl, fees), funding) },
      ...{ mae, mfe, entry, exit },
    });
  }

  private openPositions(): PortfolioRecording['open'] {
    return exactValues(this.state, this.book.marks).flatMap(({ instrument, unrealisedPnl }) => {
      const position = this.state.positions[instrument];
      const track = this.tracks.of(instrument);
      if (position === undefined || track === undefined) return [];
      const { token, quantity, openedAt, realisedPnl, fees, funding } = position;
      return [
        {
          ...{ token, instrument, quantity: abs(quantity), openedAt, realisedPnl, unrealisedPnl, fees, funding },
          side: sign(quantity) > 0 ? ('long' as const) : ('short' as const),
          entryPrice: track.entryPrice,
          entry: track.entry,
          markPrice: this.book.marks[instrument] ?? track.entryPrice,
        },
      ];
    });
  }

  /** The books have moved: reads them again for the observations to come. */
  private relist(at: number): void {
    this.cash = toNumber(this.state.cash);
    this.isStale = this.watch !== null;
    this.lines = Object.values(this.state.positions).map((position) => {
      const track = this.tracks.of(position.instrument);
      const terms = findInstrument(position.instrument);
      if (!track || !terms) throw new Error(`The position in ${position.instrument} was never opened in this run.`);
      const isInverse = terms.kind === 'inverse';
      const quantity = toNumber(position.quantity) * toNumber(terms.multiplier);
      const { instrument, openedAt } = position;
      const cost = toNumber(position.costBasis);
      return { instrument, units: isInverse ? -quantity : quantity, isInverse, cost, openedAt, track };
    });
    this.accrue(at);
    this.equity();
    if (this.lines.length > 0) this.heldSince ??= at;
    else {
      this.exposedMs += this.exposedSince(at);
      this.heldSince = null;
    }
  }
}

import { createHash } from 'node:crypto';
import type { AnyEvent } from '@moon/events';
import { toNumber, type BenchmarkRecording, type PortfolioRecording, type RecordedFill } from '@moon/domain';
import type { DecisionLog, ReportCandles } from '../../report';
import { createDataQuality, type DataQualityReport, type ReaderCounts } from '../data-quality';
import { CandleSampler } from './candles';
import { DecisionRecorder } from './decisions';
import { Origins } from './origins';
import { PortfolioRecorder } from './portfolio-recorder';

/** What a run leaves behind, made while it goes on. */
export interface Recording {
  portfolios: PortfolioRecording[];
  benchmark: BenchmarkRecording | null;
  candles: ReportCandles[];
  decisions: DecisionLog;
  dataQuality: DataQualityReport;
  bars: number;
  ticks: number;
  /** Orders that were refused, by reason. */
  ordersRefused: Record<string, number>;
  limits: { evaluated: number; breaches: Record<string, number> };
  /** First and last market event, warm-up left out; null when there was none. */
  firstAt: number | null;
  lastAt: number | null;
  /** SHA-256 of lines `priceStamp,B|S,quantity,price with 2 decimals`, one a fill in order. */
  fillsSha256: string;
  /** Failed deliveries by handler: events that an agent skipped, keys that stand still. */
  failures: Record<string, number>;
}

const DAY_MS = 86_400_000;
/** Text that is gathered before it is hashed: a call of the hash costs more than the bytes of a fill. */
const HASHED_AT_ONCE = 16_384;

/**
 * Watches the events of a run and makes everything that its report is made from. Of what it sees nothing is kept but a few
 * entries a day, a fill and a trade, so its memory does not grow with the length of the run.
 *
 * **When a portfolio is valued.** At the end of every instant at which a bar closed or a tick priced something of it: after
 * what was decided and filled at that instant, and before the next bar opens. A bar's open moves marks but is no observation.
 * A bar belongs to the UTC day in which it ended: the one that closes at midnight to the day before.
 */
export class Recorder {
  private readonly portfolios = new Map<string, PortfolioRecorder>();
  private readonly list: PortfolioRecorder[] = [];
  private readonly origins = new Origins();
  private readonly decisions = new DecisionRecorder();
  private readonly quality = createDataQuality();
  private readonly candles = new Map<string, CandleSampler>();
  /** What prices each instrument that is traded. */
  private readonly sources = new Map<string, string>();
  private readonly stamps = new Map<string, number>();
  private readonly fills = createHash('sha256');
  /** Lines of fills that are still to be hashed. */
  private fillLines = '';
  private readonly ordersRefused: Record<string, number> = {};
  private readonly breaches: Record<string, number> = {};
  private readonly failures: Record<string, number> = {};
  private readonly benchmarkDays: BenchmarkRecording['days'] = [];
  private benchmarkPrice = 0;
  private benchmarkStart: number | null = null;
  private evaluated = 0;
  private bars = 0;
  private ticks = 0;
  private firstAt: number | null = null;
  private lastAt = 0;
  /** The instant that is to be valued when it is over; 0 = none. */
  private pendingAt = 0;
  private day = Number.NEGATIVE_INFINITY;

  /** @param benchmark instrument that is bought and held for comparison; null = none */
  constructor(private readonly benchmark: string | null) {}

  /** To be told of every event, in the order of the log. */
  observe(event: AnyEvent): void {
    switch (event.type) {
      case 'bar.opened':
      case 'bar.closed':
      case 'price.tick':
        return this.market(event);
      case 'book.snapshot':
      case 'book.delta':
      case 'funding.update':
      case 'market.liquidation':
      case 'market.sentiment':
        return this.quality.observe(event);
      default:
        return this.followed(event);
    }
  }

  private market(event: Extract<AnyEvent, { type: 'bar.opened' | 'bar.closed' | 'price.tick' }>): void {
    const { type, occurredAt: at, data } = event;
    if (type !== 'price.tick' && data.derived === true) return;
    if (event.headers?.warmup === true) {
      for (const portfolio of this.list) portfolio.price(event);
      return;
    }
    if (this.pendingAt !== 0 && (at > this.pendingAt || type !== 'bar.closed')) this.settle();
    const day = Math.floor((type === 'bar.closed' ? at - 1 : at) / DAY_MS);
    if (day > this.day) this.roll(day, at);
    this.lastAt = at;
    if (type === 'bar.opened') this.stamps.set(data.instrument, data.timestamp);
    else {
      this.quality.observe(event);
      if (type === 'bar.closed') this.bars += 1;
      else this.ticks += 1;
      this.chart(event);
    }
    if (data.instrument === this.benchmark) this.measure(event);
    for (const portfolio of this.list) {
      portfolio.price(event);
      if (portfolio.isPriced) this.pendingAt = at;
    }
  }

  /** The instant that had prices is over. */
  private settle(): void {
    for (const portfolio of this.list) if (portfolio.isPriced) portfolio.observe(this.pendingAt);
    this.pendingAt = 0;
  }

  /** A UTC day begins; the one before has been seen to its end. */
  private roll(day: number, at: number): void {
    if (this.firstAt === null) {
      this.firstAt = at;
      for (const portfolio of this.list) portfolio.begin(at);
    } else this.closeDay();
    this.day = day;
  }

  private closeDay(): void {
    const day = this.day * DAY_MS;
    for (const portfolio of this.list) portfolio.closeDay(day);
    if (this.benchmarkStart !== null) this.benchmarkDays.push({ day, close: this.benchmarkPrice });
  }

  private chart(event: Extract<AnyEvent, { type: 'bar.closed' | 'price.tick' }>): void {
    const { instrument } = event.data;
    const candles = this.candles.get(instrument);
    if (event.type === 'bar.closed') {
      const { data } = event;
      this.stamps.set(instrument, data.openedAt);
      candles?.take(data.openedAt, data.intervalMs, data.open, data);
    } else {
      this.stamps.set(instrument, event.data.timestamp);
      if (event.data.kind === 'last') candles?.tick(event.occurredAt, event.data.price);
    }
  }

  private measure(event: Extract<AnyEvent, { type: 'bar.opened' | 'bar.closed' | 'price.tick' }>): void {
    if (event.type === 'price.tick') {
      if (event.data.kind !== 'last') return;
      this.benchmarkPrice = event.data.price;
    } else this.benchmarkPrice = event.type === 'bar.opened' ? event.data.open : event.data.close;
    this.benchmarkStart ??= event.type === 'bar.closed' ? event.data.open : this.benchmarkPrice;
  }

  /** Everything that is no market event. */
  private followed(event: AnyEvent): void {
    switch (event.type) {
      case 'portfolio.opened':
        return this.opened(event);
      case 'portfolio.deposited':
      case 'portfolio.withdrawn':
      case 'portfolio.position_opened':
      case 'portfolio.fill_booked':
      case 'portfolio.funding_booked':
      case 'portfolio.liquidated':
      case 'position.closed':
        this.movesOn(event.occurredAt);
        this.portfolios.get(event.data.portfolio)?.booked(event);
        return;
      case 'trade.executed':
        this.portfolios.get(event.data.portfolio)?.executed(event);
        return;
      case 'trade.consensus_approved':
        this.decisions.observe(event);
        return this.origins.observe(event);
      case 'signal.consensus_failed':
        return this.decisions.observe(event);
      case 'order.approved':
        this.evaluated += event.data.limitsChecked;
        return;
      case 'risk.constraint_violation':
        for (const { code } of event.data.breaches) count(this.breaches, code);
        return;
      case 'trade.rejected':
        count(this.ordersRefused, event.data.reason);
        return this.origins.observe(event);
      case 'event.skipped':
      case 'key.parked':
        return count(this.failures, event.data.handler);
      default:
        return this.origins.observe(event);
    }
  }

  /** Books that move belong to the day of what is pending, or to that of their own time. */
  private movesOn(at: number): void {
    if (this.firstAt === null || at === this.pendingAt) return;
    if (this.pendingAt !== 0 && at > this.pendingAt) this.settle();
    const day = Math.floor(at / DAY_MS);
    if (day > this.day) this.roll(day, at);
  }

  private opened(event: Extract<AnyEvent, { type: 'portfolio.opened' }>): void {
    const portfolio = new PortfolioRecorder(event, {
      origins: this.origins,
      stampOf: (source) => this.stamps.get(source),
      onFill: (fill) => this.filled(fill),
    });
    this.portfolios.set(event.data.portfolio, portfolio);
    this.list.push(portfolio);
    for (const { instrument, priceSource } of event.data.instruments) this.sources.set(instrument, priceSource);
    for (const source of portfolio.priceSources) {
      if (!this.candles.has(source)) this.candles.set(source, new CandleSampler(source));
    }
  }

  private filled({ priceStamp, side, quantity, price }: RecordedFill): void {
    this.fillLines += `${priceStamp},${side === 'buy' ? 'B' : 'S'},${quantity},${toNumber(price).toFixed(2)}\n`;
    if (this.fillLines.length >= HASHED_AT_ONCE) this.hashFills();
  }

  private hashFills(): void {
    this.fills.update(this.fillLines);
    this.fillLines = '';
  }

  /** The recording of everything so far. To be called once, at the end. */
  finish(reader?: ReaderCounts): Recording {
    if (this.pendingAt !== 0) this.settle();
    this.hashFills();
    if (this.firstAt !== null) this.closeDay();
    else for (const portfolio of this.list) portfolio.begin(0);
    const start = this.benchmarkStart;
    return {
      portfolios: this.list.map((portfolio) => portfolio.finish()),
      benchmark:
        this.benchmark === null || start === null
          ? null
          : { instrument: this.benchmark, startPrice: start, days: this.benchmarkDays },
      candles: [...this.sources].flatMap(([instrument, source]) => {
        const candles = this.candles.get(source)?.candles();
        return candles ? [{ ...candles, instrument }] : [];
      }),
      decisions: this.decisions.log(),
      dataQuality: this.quality.report(reader),
      ...{ bars: this.bars, ticks: this.ticks, ordersRefused: this.ordersRefused, failures: this.failures },
      limits: { evaluated: this.evaluated, breaches: this.breaches },
      firstAt: this.firstAt,
      lastAt: this.firstAt === null ? null : this.lastAt,
      fillsSha256: this.fills.digest('hex'),
    };
  }
}

function count(counts: Record<string, number>, name: string): void {
  counts[name] = (counts[name] ?? 0) + 1;
}

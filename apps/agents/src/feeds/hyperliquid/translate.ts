import { instrumentListing, minuteQuoteVolume, type Instrument } from '@moon/domain';
import { EventRefused, type AnyEvent } from '@moon/events';
import { feedEvent, type Speaker } from '../feed-event';
import { Conflator } from './conflate';
import type { HyperliquidFeedConfig } from './config';
import { MessageRefused } from './fields';
import { perpetual } from './listing';
import type { VenueBook, VenueContext, VenueTrade } from './parse';
import type { VenueCandle, VenueFunding } from './parse-info';
import { TradeMemory } from './trade-memory';

const VENUE = 'HYPERLIQUID';
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** A stamp further ahead of our clock than this is a mistake of one of the two. */
const MAX_AHEAD_MS = 60_000;
/** On the first connection the venue tells older trades too; those of the last minute make up `volume_1m`. */
const FIRST_TRADES_MS = 60_000;

/** What changes often and is said only now and then. */
interface Saying {
  coin: string;
  kind: 'bid' | 'ask' | 'mark' | 'oracle' | 'funding';
  value: number;
  /** Venue time, or ours where the venue gives none; ms. */
  at: number;
  /** Oracle price beside a funding rate. */
  oracle?: number;
}

export type RefusePart = (reason: string, message: string, part: unknown) => void;

/** Turns what the venue says into events, each said once. */
export class Translator {
  private readonly instruments: ReadonlyMap<string, Instrument>;
  private readonly volume = minuteQuoteVolume();
  private readonly memory = new TradeMemory();
  private readonly sayings = new Conflator<Saying>((a, b) => a.value === b.value);
  /** Trades passed over because they were known. */
  repeats = 0;

  constructor(
    private readonly config: HyperliquidFeedConfig,
    private readonly live: Speaker,
    private readonly refuse: RefusePart,
  ) {
    this.instruments = new Map(config.coins.map((coin) => [coin, perpetual(coin)]));
  }

  instrument(coin: string): Instrument {
    const instrument = this.instruments.get(coin);
    if (instrument) return instrument;
    throw new MessageRefused('unknown_coin', `coin is "${coin.slice(0, 40)}"; it is not followed`);
  }

  newestTradeAt(coin: string): number | null {
    return this.memory.newestAt(coin);
  }

  /** The trades that are news, oldest first. */
  trades(trades: readonly VenueTrade[], now: number): AnyEvent[] {
    const sorted = [...trades].sort((a, b) => a.time - b.time);
    const isFirst = sorted.every(({ coin }) => this.memory.newestAt(coin) === null);
    const events: AnyEvent[] = [];
    for (const [index, trade] of sorted.entries()) {
      const isOld = isFirst && trade.time < now - FIRST_TRADES_MS && index < sorted.length - 1;
      this.guard(trade, () => {
        this.instrument(trade.coin);
        notAhead(trade.time, now);
        if (!this.memory.take(trade)) this.repeats += 1;
        else if (!isOld) events.push(this.tradeEvent(trade));
      });
    }
    return events;
  }

  book({ coin, time, bid, ask }: VenueBook, now: number): AnyEvent[] {
    this.instrument(coin);
    notAhead(time, now);
    const { bookIntervalMs } = this.config;
    const sayings: Saying[] = [];
    if (bid !== null) sayings.push({ coin, kind: 'bid', value: bid, at: time });
    if (ask !== null) sayings.push({ coin, kind: 'ask', value: ask, at: time });
    return this.offer(sayings, now, bookIntervalMs);
  }

  context({ coin, mark, oracle, funding }: VenueContext, now: number): AnyEvent[] {
    this.instrument(coin);
    const { referenceIntervalMs, predictedIntervalMs } = this.config;
    const prices: Saying[] = [
      { coin, kind: 'mark', value: mark, at: now },
      { coin, kind: 'oracle', value: oracle, at: now },
    ];
    const rate: Saying = { coin, kind: 'funding', value: funding, at: now, oracle };
    return [...this.offer(prices, now, referenceIntervalMs), ...this.offer([rate], now, predictedIntervalMs)];
  }

  /** When something that waits is to be said, ms; null when nothing waits. */
  nextAt(): number | null {
    return this.sayings.nextAt();
  }

  due(now: number): AnyEvent[] {
    return this.sayings.due(now).flatMap((saying) => this.sayingEvents(saying));
  }

  /** After a gap the next prices are said, changed or not. */
  forget(): void {
    this.sayings.clear();
  }

  /** One-minute bars that are history by now; a bar that has not ended by `now` is left out. */
  bars(coin: string, candles: readonly VenueCandle[], now: number, speaker: Speaker): AnyEvent[] {
    const { token, id: instrument } = this.instrument(coin);
    return candles.flatMap((candle) => {
      const timestamp = candle.openedAt + MINUTE;
      if (timestamp > now) return [];
      const { open, high, low, close, volume } = candle;
      const identity = {
        source: VENUE,
        kind: 'bar.closed',
        instrument,
        values: [MINUTE, open, high, low, close, volume],
      };
      const data = { token, instrument, intervalMs: MINUTE, ...candle, timestamp };
      return this.guarded(candle, () => feedEvent(speaker, 'bar.closed', data, identity));
    });
  }

  /** Settled rates. They are stamped some milliseconds after the hour that they settle. */
  settled(coin: string, rates: readonly VenueFunding[], speaker: Speaker): AnyEvent[] {
    const { token, id: instrument } = this.instrument(coin);
    return rates.flatMap(({ time: timestamp, rate }) => {
      const identity = { source: VENUE, kind: 'funding.update', instrument, values: ['settled', rate] };
      const settlesAt = Math.floor(timestamp / HOUR) * HOUR;
      const data = { token, instrument, rate, intervalHours: 1, status: 'settled' as const, settlesAt, timestamp };
      return this.guarded(rate, () => feedEvent(speaker, 'funding.update', data, identity));
    });
  }

  listed(instrument: Instrument, at: number, speaker: Speaker): AnyEvent {
    const data = instrumentListing(instrument, at);
    const identity = {
      source: VENUE,
      kind: 'instrument.listed',
      instrument: instrument.id,
      values: [JSON.stringify(data)],
    };
    return feedEvent(speaker, 'instrument.listed', data, identity);
  }

  private tradeEvent({ coin, time, price, size, side, tid }: VenueTrade): AnyEvent {
    const { token, id: instrument } = this.instrument(coin);
    const volume = this.volume(instrument, time, price * size);
    const base = { token, price, volume_1m: volume, timestamp: time, instrument };
    const data = { ...base, kind: 'last' as const, size, side, tradeId: String(tid) };
    return feedEvent(this.live, 'price.tick', data, {
      source: VENUE,
      kind: 'price.tick/last',
      instrument,
      values: [tid],
    });
  }

  private offer(sayings: readonly Saying[], now: number, intervalMs: number): AnyEvent[] {
    return sayings.flatMap((saying) => {
      const said = this.sayings.offer(`${saying.coin} ${saying.kind}`, saying, now, intervalMs);
      return said === null ? [] : this.sayingEvents(said);
    });
  }

  private sayingEvents(saying: Saying): AnyEvent[] {
    return this.guarded(saying, () =>
      saying.kind === 'funding' ? this.predicted(saying) : this.quote(saying, saying.kind),
    );
  }

  private quote({ coin, value: price, at: timestamp }: Saying, kind: 'bid' | 'ask' | 'mark' | 'oracle'): AnyEvent {
    const { token, id: instrument } = this.instrument(coin);
    const data = { token, price, volume_1m: this.volume(instrument, timestamp, 0), timestamp, instrument, kind };
    return feedEvent(this.live, 'price.tick', data, {
      source: VENUE,
      kind: `price.tick/${kind}`,
      instrument,
      values: [price],
    });
  }

  private predicted({ coin, value: rate, at: timestamp, oracle }: Saying): AnyEvent {
    const { token, id: instrument } = this.instrument(coin);
    const settlesAt = (Math.floor(timestamp / HOUR) + 1) * HOUR;
    const base = { token, instrument, rate, intervalHours: 1, status: 'predicted' as const, settlesAt, timestamp };
    const data = oracle === undefined ? base : { ...base, oraclePrice: oracle };
    const values = ['predicted', rate, oracle ?? 0];
    return feedEvent(this.live, 'funding.update', data, { source: VENUE, kind: 'funding.update', instrument, values });
  }

  private guarded(part: unknown, make: () => AnyEvent): AnyEvent[] {
    const events: AnyEvent[] = [];
    this.guard(part, () => void events.push(make()));
    return events;
  }

  /** What breaks a rule is refused and told, whatever else comes with it. */
  private guard(part: unknown, action: () => void): void {
    try {
      action();
    } catch (error) {
      if (error instanceof MessageRefused) this.refuse(error.reason, error.message, part);
      else if (error instanceof EventRefused) this.refuse(error.rule, error.message, part);
      else throw error;
    }
  }
}

function notAhead(at: number, now: number): void {
  if (at <= now + MAX_AHEAD_MS) return;
  throw new MessageRefused('future', `the stamp ${at} is ${at - now} ms ahead of our clock`);
}

import type { EventData } from '@moon/events';
import { BAR_CLOSED, BAR_OPENED, CANDLE_TICK, RecordedInput, type InputOrigin } from './recorded-input';

/** A row of a candle file in the source's own numbers; `at` is its stamp, `volume` in the source's unit. */
export interface Candle {
  at: number;
  open: number;
  high: number;
  low: number;
  close: number;
  volume: number;
}

/** What the rows of a symbol are about. */
export interface Named {
  instrument: string;
  token: string;
  /** Of an inverse contract: its value in quote currency. Its sizes are contracts, not base asset. */
  quotePerContract?: number;
}

/** How the candles of a file are meant. */
export interface CandleRules {
  /** Length of a candle, ms. */
  intervalMs: number;
  /** The source stamps candles with their close (rule 12). */
  stampsClose: boolean;
  /** The source gives a candle's volume in quote currency. */
  hasQuoteVolume: boolean;
}

const MINUTE = 60_000;

/** Whether high and low enclose the other prices. */
export function isConsistent({ open, high, low, close }: Candle): boolean {
  return high >= open && high >= close && high >= low && low <= open && low <= close;
}

export function openingOf(candle: Candle, { intervalMs, stampsClose }: CandleRules): number {
  return stampsClose ? candle.at - intervalMs : candle.at;
}

export function openedData(candle: Candle, named: Named, rules: CandleRules): EventData<'bar.opened'> {
  return {
    event_type: 'bar.opened',
    token: named.token,
    instrument: named.instrument,
    intervalMs: rules.intervalMs,
    open: candle.open,
    timestamp: openingOf(candle, rules),
  };
}

export function closedData(candle: Candle, named: Named, rules: CandleRules): EventData<'bar.closed'> {
  const openedAt = openingOf(candle, rules);
  return {
    event_type: 'bar.closed',
    token: named.token,
    instrument: named.instrument,
    intervalMs: rules.intervalMs,
    open: candle.open,
    high: candle.high,
    low: candle.low,
    close: candle.close,
    volume: rules.hasQuoteVolume ? baseVolume(candle) : candle.volume,
    timestamp: openedAt + rules.intervalMs,
    openedAt,
  };
}

/** A bar as two inputs: its opening, and its end. */
export function barInputs(candle: Candle, named: Named, rules: CandleRules, origin: InputOrigin): RecordedInput[] {
  return [
    RecordedInput.of(BAR_OPENED, openedData(candle, named, rules), origin),
    RecordedInput.of(BAR_CLOSED, closedData(candle, named, rules), origin),
  ];
}

/**
 * A bar as four ticks of kind `last`: open, high, low, close at 0, 1/4, 1/2 and 3/4 of its length (for a minute +0, +15,
 * +30 and +45 s). That order of high and low, and the times, are a convention, not what happened. They have no size:
 * nobody traded at them. `volume_1m` is filled in where files come together.
 */
export function tickInputs(candle: Candle, named: Named, rules: CandleRules, origin: InputOrigin): RecordedInput[] {
  const { open, high, low, close, volume } = candle;
  const values = [rules.intervalMs, open, high, low, close, volume];
  const prices = [open, high, low, close];
  const openedAt = openingOf(candle, rules);
  const ticks: RecordedInput[] = [];
  for (let ordinal = 0; ordinal < prices.length; ordinal += 1) {
    const data: EventData<'price.tick'> = {
      event_type: 'price.tick',
      token: named.token,
      price: prices[ordinal]!,
      volume_1m: 0,
      timestamp: openedAt + Math.floor((ordinal * rules.intervalMs) / 4),
      instrument: named.instrument,
      kind: 'last',
    };
    ticks.push(RecordedInput.of(CANDLE_TICK, data, origin, { ordinal, values }));
  }
  return ticks;
}

/**
 * What a bar adds to `volume_1m` of the ticks that follow its end, in quote currency: its volume at
 * (high + low + close) ÷ 3; of a bar longer than a minute, the share of one minute.
 */
export function quoteOfBar(candle: Candle, named: Named, rules: CandleRules): number {
  const whole = rules.hasQuoteVolume ? candle.volume : candle.volume * (named.quotePerContract ?? typicalPrice(candle));
  return whole * Math.min(1, MINUTE / rules.intervalMs);
}

function baseVolume(candle: Candle): number {
  return Number((candle.volume / typicalPrice(candle)).toPrecision(12));
}

function typicalPrice({ high, low, close }: Candle): number {
  return (high + low + close) / 3;
}

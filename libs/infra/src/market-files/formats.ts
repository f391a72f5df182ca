import type { EventData } from '@moon/events';
import { barInputs, isConsistent, tickInputs, type CandleRules, type Named } from './candles';
import { FUNDING, LIQUIDATION, RecordedInput, SENTIMENT, TRADE, type InputOrigin } from './recorded-input';

/** What a file holds, told by its header. */
export type FileKind = 'candles' | 'trades' | 'funding' | 'liquidations' | 'sentiment';

/** What the platform knows of an instrument of a source; injected, because instruments are a matter of the domain. */
export interface ResolvedInstrument extends Named {
  /** Hours between two funding settlements, where it has funding. */
  fundingIntervalHours: number | null;
}

/** @throws RowRefused for a symbol that is not known */
export type ResolveInstrument = (venue: string, symbol: string) => ResolvedInstrument;

/** Quote volume of the last minute, updated with each trade: (instrument, time ms, quote amount) → sum. */
export type MinuteVolume = (instrument: string, at: number, quote: number) => number;

export interface FormatContext extends CandleRules {
  resolve: ResolveInstrument;
  origin: InputOrigin;
  /** Candles become ticks instead of bars (rule 12). */
  asTicks: boolean;
}

/** A row that cannot be used; `rule` is the reason that is counted. */
export class RowRefused extends Error {
  override readonly name = 'RowRefused';
  constructor(
    readonly rule: string,
    message: string,
  ) {
    super(message);
  }
}

export interface FileFormat {
  kind: FileKind;
  columns: readonly string[];
  /** True when equal rows are separate facts (trades); else they are repeats of one. */
  keepsEqualRows: boolean;
  /** What two rows of one instant must not disagree about. */
  key(fields: readonly string[]): string;
  /** In the order of their times, not yet checked. `at` is the row's stamp, which the reader has checked. */
  inputs(fields: readonly string[], at: number, context: FormatContext): RecordedInput[];
}

/** First and last instant that an event may carry, epoch ms: 2010-01-01 and the end of 2099, UTC. */
export const FIRST_MS = 1_262_304_000_000;
export const LAST_MS = 4_102_444_799_999;

const HOUR = 3_600_000;
/** Settlements are stamped some milliseconds late; that much late is still the settlement of its hour. */
const SETTLEMENT_LATE_MS = 60_000;

const candles: FileFormat = {
  kind: 'candles',
  columns: ['timestamp_ms', 'symbol', 'open', 'high', 'low', 'close', 'volume'],
  keepsEqualRows: false,
  key: (fields) => fields[1] ?? '',
  inputs(fields, at, context) {
    const named = context.resolve(context.origin.venue, text(fields[1], 'symbol'));
    const open = positive(fields[2], 'open');
    const high = positive(fields[3], 'high');
    const low = positive(fields[4], 'low');
    const close = positive(fields[5], 'close');
    const volume = number(fields[6], 'volume');
    if (volume < 0) throw new RowRefused('negative', `volume ${volume} is below zero`);
    const candle = { at, open, high, low, close, volume };
    if (!isConsistent(candle)) {
      throw new RowRefused(
        'ohlc_inconsistent',
        `high ${high} and low ${low} do not enclose open ${open} and close ${close}`,
      );
    }
    return (context.asTicks ? tickInputs : barInputs)(candle, named, context, context.origin);
  },
};

const trades: FileFormat = {
  kind: 'trades',
  columns: ['timestamp_ms', 'symbol', 'price', 'size', 'side'],
  keepsEqualRows: true,
  key: () => '',
  inputs(fields, at, { origin, resolve }) {
    const named = resolve(origin.venue, text(fields[1], 'symbol'));
    const price = positive(fields[2], 'price');
    const size = positive(fields[3], 'size');
    const side = takerSide(fields[4]);
    return [RecordedInput.of(TRADE, tradeData({ at, price, size, side }, named), origin)];
  },
};

/** A row of a trade file; `side` is the taker's. */
export interface Trade {
  at: number;
  price: number;
  size: number;
  side: 'buy' | 'sell';
}

/** `volume_1m` is filled in where all files come together: it counts the trades of all of them. */
export function tradeData({ at, price, size, side }: Trade, { token, instrument }: Named): EventData<'price.tick'> {
  return {
    event_type: 'price.tick',
    token,
    price,
    volume_1m: 0,
    timestamp: at,
    instrument,
    kind: 'last',
    size,
    side,
  };
}

/** Value of a trade in quote currency. */
export function quoteOfTrade({ price, size }: Pick<Trade, 'price' | 'size'>, { quotePerContract }: Named): number {
  return size * (quotePerContract ?? price);
}

const funding: FileFormat = {
  kind: 'funding',
  columns: ['timestamp_ms', 'symbol', 'rate'],
  keepsEqualRows: false,
  key: (fields) => fields[1] ?? '',
  inputs(fields, at, { origin, resolve }) {
    const { instrument, token, fundingIntervalHours } = resolve(origin.venue, text(fields[1], 'symbol'));
    const rate = number(fields[2], 'rate');
    const intervalHours = fundingIntervalHours ?? 8;
    const settlesAt = settlementOf(at, intervalHours);
    const data: EventData<'funding.update'> = {
      ...{ event_type: 'funding.update', token, instrument, rate, intervalHours },
      ...{ status: 'settled', settlesAt, timestamp: at },
    };
    return [RecordedInput.of(FUNDING, data, origin)];
  },
};

/** The instant that a rate settles: the whole interval (counted from midnight UTC) just before its stamp, or the stamp itself. */
function settlementOf(at: number, intervalHours: number): number {
  const late = at % (intervalHours * HOUR);
  return late <= SETTLEMENT_LATE_MS ? at - late : at;
}

const liquidations: FileFormat = {
  kind: 'liquidations',
  columns: ['timestamp_ms', 'symbol', 'side', 'price', 'size'],
  keepsEqualRows: false,
  key: (fields) => fields.join(','),
  inputs(fields, at, { origin, resolve }) {
    const { instrument, token } = resolve(origin.venue, text(fields[1], 'symbol'));
    const side = takerSide(fields[2]);
    const price = positive(fields[3], 'price');
    const size = positive(fields[4], 'size');
    const event_type = 'market.liquidation';
    const data: EventData<'market.liquidation'> = { event_type, token, instrument, side, price, size, timestamp: at };
    return [RecordedInput.of(LIQUIDATION, data, origin)];
  },
};

/** Scales of known sentiment sources, by the start of the last column. */
const SENTIMENT_SCALES: ReadonlyArray<readonly [prefix: string, min: number, max: number]> = [
  ['fear_greed_index', 0, 100],
  ['', -1, 1],
];

const sentiment: FileFormat = {
  kind: 'sentiment',
  columns: ['timestamp_ms', 'symbol', 'score', 'text_or_source'],
  keepsEqualRows: false,
  key: (fields) => `${fields[1]}@${fields[3]}`,
  inputs(fields, at, { origin }) {
    const token = text(fields[1], 'symbol');
    const score = number(fields[2], 'score');
    const last = fields[3] ?? '';
    const separator = last.indexOf(':');
    const source = (separator < 0 ? last : last.slice(0, separator)).trim();
    const [, scaleMin, scaleMax] = SENTIMENT_SCALES.find(([prefix]) => source.startsWith(prefix)) ?? ['', -1, 1];
    if (score < scaleMin || score > scaleMax) {
      throw new RowRefused(
        'off_scale',
        `score ${score} is not within the scale ${scaleMin} to ${scaleMax} of ${cut(source)}`,
      );
    }
    const body = separator < 0 ? '' : last.slice(separator + 1).trim();
    const event_type = 'market.sentiment';
    const data: EventData<'market.sentiment'> = {
      event_type,
      token,
      source,
      score,
      scaleMin,
      scaleMax,
      text: body,
      timestamp: at,
    };
    return [RecordedInput.of(SENTIMENT, data, origin)];
  },
};

export const FORMATS: readonly FileFormat[] = [candles, trades, funding, liquidations, sentiment];

/** The format with exactly this header, or undefined. */
export function formatOf(header: readonly string[]): FileFormat | undefined {
  return FORMATS.find((format) => format.columns.join(',') === header.map((column) => column.trim()).join(','));
}

const PLAIN = /^-?\d+(?:\.\d+)?$/;
const SCIENTIFIC = /^-?\d+(?:\.\d+)?[eE][+-]?\d{1,4}$/;
/** Up to this length a plain number cannot have more than 15 digits. */
const SURELY_SHORT = 15;

function number(value: string | undefined, column: string): number {
  if (value === undefined || !(PLAIN.test(value) || SCIENTIFIC.test(value))) {
    throw new RowRefused('bad_number', `${column} "${cut(value)}" is not a number`);
  }
  if (value.length > SURELY_SHORT) checkDigits(value, column);
  const result = Number(value);
  const isLost = result === 0 && /[1-9]/.test(value.replace(/[eE].*$/, ''));
  if (!Number.isFinite(result) || isLost) {
    throw new RowRefused('bad_number', `${column} "${cut(value)}" is too large or too small to be kept`);
  }
  return result === 0 ? 0 : result;
}

function checkDigits(value: string, column: string): void {
  const digits = value
    .replace(/[eE].*$/, '')
    .replace(/[-.]/g, '')
    .replace(/^0+/, '')
    .replace(/0+$/, '');
  if (digits.length > 15)
    throw new RowRefused('too_many_digits', `${column} "${cut(value)}" has more than 15 significant digits`);
}

function positive(value: string | undefined, column: string): number {
  const result = number(value, column);
  if (result > 0) return result;
  throw new RowRefused('not_positive', `${column} ${cut(value)} must be above zero`);
}

function text(value: string | undefined, column: string): string {
  if (value === undefined || !/^[A-Za-z0-9_:@/-]{1,40}$/.test(value))
    throw new RowRefused('bad_symbol', `${column} "${cut(value)}" is no symbol`);
  return value;
}

function takerSide(value: string | undefined): 'buy' | 'sell' {
  if (value === 'buy' || value === 'sell') return value;
  throw new RowRefused('bad_side', `side "${cut(value)}" is neither buy nor sell`);
}

function cut(value: string | undefined): string {
  return value === undefined ? '' : value.slice(0, 40);
}

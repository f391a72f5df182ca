import type { EventData, EventType } from '@moon/events';

/** What a file holds, told by its header. */
export type FileKind = 'candles' | 'trades' | 'funding' | 'liquidations' | 'sentiment';

/** What the platform knows of an instrument of a source; injected, because instruments are a matter of the domain. */
export interface ResolvedInstrument {
  instrument: string;
  token: string;
  /** Hours between two funding settlements, where it has funding. */
  fundingIntervalHours: number | null;
  /** Of an inverse contract: its value in quote currency. Its sizes are contracts, not base asset. */
  quotePerContract?: number;
}

/** @throws RowRefused for a symbol that is not known */
export type ResolveInstrument = (venue: string, symbol: string) => ResolvedInstrument;

/** Quote volume of the last minute, updated with each trade: (instrument, time ms, quote amount) → sum. */
export type MinuteVolume = (instrument: string, at: number, quote: number) => number;

export interface FormatContext {
  venue: string;
  resolve: ResolveInstrument;
  /** Length of a candle, ms. */
  intervalMs: number;
  /** The source stamps candles with their close (rule 12). */
  stampsClose: boolean;
  /** The source gives a candle's volume in quote currency. */
  hasQuoteVolume: boolean;
}

/** An event that a row stands for, before it has an id. `phase` orders events of one instant (rule 1). */
export interface RowEvent {
  type: EventType;
  at: number;
  phase: number;
  instrument: string;
  token: string;
  data: EventData<EventType>;
  /** What makes the event what it is (rule 3). */
  identity: ReadonlyArray<string | number>;
  /** Of a trade: its value in quote currency, for `volume_1m`. */
  quote?: number;
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
  /** In the order of their times. `at` is the row's stamp, which the reader has checked. */
  events(fields: readonly string[], at: number, context: FormatContext): RowEvent[];
}

/** First and last instant that an event may carry, epoch ms: 2010-01-01 and the end of 2099, UTC. */
export const FIRST_MS = 1_262_304_000_000;
export const LAST_MS = 4_102_444_799_999;

/** Order of events of one instant: bar.closed, funding.update, all others, bar.opened. */
export const PHASE = { barClosed: 0, funding: 1, other: 2, barOpened: 3 } as const;

const HOUR = 3_600_000;
/** Settlements are stamped some milliseconds late; that much late is still the settlement of its hour. */
const SETTLEMENT_LATE_MS = 60_000;

const candles: FileFormat = {
  kind: 'candles',
  columns: ['timestamp_ms', 'symbol', 'open', 'high', 'low', 'close', 'volume'],
  keepsEqualRows: false,
  key: (fields) => fields[1] ?? '',
  events(fields, stamp, { venue, resolve, intervalMs, stampsClose, hasQuoteVolume }) {
    const { instrument, token } = resolve(venue, text(fields[1], 'symbol'));
    const open = positive(fields[2], 'open');
    const high = positive(fields[3], 'high');
    const low = positive(fields[4], 'low');
    const close = positive(fields[5], 'close');
    const traded = number(fields[6], 'volume');
    if (traded < 0) throw new RowRefused('negative', `volume ${traded} is below zero`);
    if (high < Math.max(open, close, low) || low > Math.min(open, close)) {
      throw new RowRefused(
        'ohlc_inconsistent',
        `high ${high} and low ${low} do not enclose open ${open} and close ${close}`,
      );
    }
    const volume = hasQuoteVolume ? Number((traded / ((high + low + close) / 3)).toPrecision(12)) : traded;
    const openedAt = stampsClose ? stamp - intervalMs : stamp;
    const at = openedAt + intervalMs;
    return [
      {
        type: 'bar.opened',
        at: openedAt,
        phase: PHASE.barOpened,
        instrument,
        token,
        data: { event_type: 'bar.opened', token, instrument, intervalMs, open, timestamp: openedAt },
        identity: [intervalMs, open],
      },
      {
        type: 'bar.closed',
        at,
        phase: PHASE.barClosed,
        instrument,
        token,
        data: {
          event_type: 'bar.closed',
          token,
          instrument,
          intervalMs,
          open,
          high,
          low,
          close,
          volume,
          timestamp: at,
          openedAt,
        },
        identity: [intervalMs, open, high, low, close, volume],
      },
    ];
  },
};

const trades: FileFormat = {
  kind: 'trades',
  columns: ['timestamp_ms', 'symbol', 'price', 'size', 'side'],
  keepsEqualRows: true,
  key: () => '',
  events(fields, at, { venue, resolve }) {
    const { instrument, token, quotePerContract } = resolve(venue, text(fields[1], 'symbol'));
    const price = positive(fields[2], 'price');
    const size = positive(fields[3], 'size');
    const side = takerSide(fields[4]);
    const quote = size * (quotePerContract ?? price);
    // volume_1m is filled in where all files come together: it counts the trades of all of them.
    const data: EventData<'price.tick'> = {
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
    return [
      { type: 'price.tick', at, phase: PHASE.other, instrument, token, data, identity: [price, size, side], quote },
    ];
  },
};

const funding: FileFormat = {
  kind: 'funding',
  columns: ['timestamp_ms', 'symbol', 'rate'],
  keepsEqualRows: false,
  key: (fields) => fields[1] ?? '',
  events(fields, at, { venue, resolve }) {
    const { instrument, token, fundingIntervalHours } = resolve(venue, text(fields[1], 'symbol'));
    const rate = number(fields[2], 'rate');
    const intervalHours = fundingIntervalHours ?? 8;
    const settlesAt = settlementOf(at, intervalHours);
    const data: EventData<'funding.update'> = {
      ...{ event_type: 'funding.update', token, instrument, rate, intervalHours },
      ...{ status: 'settled', settlesAt, timestamp: at },
    };
    return [{ type: 'funding.update', at, phase: PHASE.funding, instrument, token, data, identity: [rate] }];
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
  events(fields, at, { venue, resolve }) {
    const { instrument, token } = resolve(venue, text(fields[1], 'symbol'));
    const side = takerSide(fields[2]);
    const price = positive(fields[3], 'price');
    const size = positive(fields[4], 'size');
    const event_type = 'market.liquidation';
    const data: EventData<'market.liquidation'> = { event_type, token, instrument, side, price, size, timestamp: at };
    return [
      { type: 'market.liquidation', at, phase: PHASE.other, instrument, token, data, identity: [side, price, size] },
    ];
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
  events(fields, at) {
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
    const identity = [source, score, body];
    return [{ type: 'market.sentiment', at, phase: PHASE.other, instrument: token, token, data, identity }];
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

import type { EmitData, EventType } from '@moon/events';

/** What a file holds, told by its header. */
export type FileKind = 'candles' | 'trades' | 'funding' | 'liquidations' | 'sentiment';

/** What the platform knows of an instrument of a source; injected, because instruments are a matter of the domain. */
export interface ResolvedInstrument {
  instrument: string;
  token: string;
  /** Hours between two funding settlements, where it has funding. */
  fundingIntervalHours: number | null;
}

export type ResolveInstrument = (venue: string, symbol: string) => ResolvedInstrument;

/** Quote volume of the last minute, updated with each trade: (instrument, time ms, quote amount) → sum. */
export type MinuteVolume = (instrument: string, at: number, quote: number) => number;

export interface FormatContext {
  venue: string;
  resolve: ResolveInstrument;
  minuteVolume: MinuteVolume;
  /** Length of a candle, ms. */
  intervalMs: number;
  /** The source stamps candles with their close (rule 12). */
  stampsClose: boolean;
}

/** An event that a row stands for, before it has an id. `phase` orders events of one instant (rule 1). */
export interface RowEvent {
  type: EventType;
  at: number;
  phase: number;
  instrument: string;
  token: string;
  data: EmitData<EventType>;
  /** What makes the event what it is (rule 3). */
  identity: ReadonlyArray<string | number>;
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
  /** What two rows must not disagree about. */
  key(fields: readonly string[]): string;
  events(fields: readonly string[], context: FormatContext): RowEvent[];
}

/** Order of events of one instant: bar.closed, funding.update, all others, bar.opened. */
const PHASE = { barClosed: 0, funding: 1, other: 2, barOpened: 3 } as const;

const candles: FileFormat = {
  kind: 'candles',
  columns: ['timestamp_ms', 'symbol', 'open', 'high', 'low', 'close', 'volume'],
  keepsEqualRows: false,
  key: (fields) => `${fields[1]}@${fields[0]}`,
  events(fields, { venue, resolve, intervalMs, stampsClose }) {
    const stamp = time(fields[0]);
    const { instrument, token } = resolve(venue, text(fields[1], 'symbol'));
    const [open, high, low, close] = [2, 3, 4, 5].map((index) => number(fields[index], this.columns[index] ?? ''));
    const volume = number(fields[6], 'volume');
    if (open === undefined || high === undefined || low === undefined || close === undefined) return [];
    if (high < Math.max(open, close, low) || low > Math.min(open, close)) {
      throw new RowRefused('ohlc_inconsistent', `high ${high} and low ${low} do not enclose open ${open} and close ${close}`);
    }
    const openedAt = stampsClose ? stamp - intervalMs : stamp;
    const at = openedAt + intervalMs;
    const common = { token, instrument, intervalMs };
    return [
      {
        ...{ type: 'bar.opened', at: openedAt, phase: PHASE.barOpened, instrument, token },
        data: { ...common, open, timestamp: openedAt },
        identity: [intervalMs, open],
      },
      {
        ...{ type: 'bar.closed', at, phase: PHASE.barClosed, instrument, token },
        data: { ...common, open, high, low, close, volume, timestamp: at, openedAt },
        identity: [intervalMs, open, high, low, close, volume],
      },
    ];
  },
};

const trades: FileFormat = {
  kind: 'trades',
  columns: ['timestamp_ms', 'symbol', 'price', 'size', 'side'],
  keepsEqualRows: true,
  key: (fields) => fields.join(','),
  events(fields, { venue, resolve, minuteVolume }) {
    const at = time(fields[0]);
    const { instrument, token } = resolve(venue, text(fields[1], 'symbol'));
    const price = number(fields[2], 'price');
    const size = number(fields[3], 'size');
    const side = takerSide(fields[4]);
    if (!(price > 0) || !(size > 0)) throw new RowRefused('not_positive', `price ${price} and size ${size} must be above zero`);
    const volume = Number(minuteVolume(instrument, at, price * size).toPrecision(15));
    const data: EmitData<'price.tick'> = { token, price, volume_1m: volume, timestamp: at, instrument, kind: 'last', size, side };
    return [{ type: 'price.tick', at, phase: PHASE.other, instrument, token, data, identity: [price, size, side] }];
  },
};

const funding: FileFormat = {
  kind: 'funding',
  columns: ['timestamp_ms', 'symbol', 'rate'],
  keepsEqualRows: false,
  key: (fields) => `${fields[1]}@${fields[0]}`,
  events(fields, { venue, resolve }) {
    const at = time(fields[0]);
    const { instrument, token, fundingIntervalHours } = resolve(venue, text(fields[1], 'symbol'));
    const rate = number(fields[2], 'rate');
    const data: EmitData<'funding.update'> = {
      ...{ token, instrument, rate, intervalHours: fundingIntervalHours ?? 8 },
      ...{ status: 'settled', settlesAt: at, timestamp: at },
    };
    return [{ type: 'funding.update', at, phase: PHASE.funding, instrument, token, data, identity: [rate] }];
  },
};

const liquidations: FileFormat = {
  kind: 'liquidations',
  columns: ['timestamp_ms', 'symbol', 'side', 'price', 'size'],
  keepsEqualRows: false,
  key: (fields) => fields.join(','),
  events(fields, { venue, resolve }) {
    const at = time(fields[0]);
    const { instrument, token } = resolve(venue, text(fields[1], 'symbol'));
    const side = takerSide(fields[2]);
    const price = number(fields[3], 'price');
    const size = number(fields[4], 'size');
    const data: EmitData<'market.liquidation'> = { token, instrument, side, price, size, timestamp: at };
    return [{ type: 'market.liquidation', at, phase: PHASE.other, instrument, token, data, identity: [side, price, size] }];
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
  key: (fields) => `${fields[1]}@${fields[0]}@${fields[3]}`,
  events(fields) {
    const at = time(fields[0]);
    const token = text(fields[1], 'symbol');
    const score = number(fields[2], 'score');
    const last = fields[3] ?? '';
    const separator = last.indexOf(':');
    const source = separator < 0 ? last : last.slice(0, separator);
    const [, scaleMin, scaleMax] = SENTIMENT_SCALES.find(([prefix]) => source.startsWith(prefix)) ?? ['', -1, 1];
    if (score < scaleMin || score > scaleMax) {
      throw new RowRefused('off_scale', `score ${score} is not within the scale ${scaleMin} to ${scaleMax} of ${source}`);
    }
    const body = separator < 0 ? '' : last.slice(separator + 1).trim();
    const data: EmitData<'market.sentiment'> = { token, source, score, scaleMin, scaleMax, text: body, timestamp: at };
    return [{ type: 'market.sentiment', at, phase: PHASE.other, instrument: source, token, data, identity: [score, body] }];
  },
};

export const FORMATS: readonly FileFormat[] = [candles, trades, funding, liquidations, sentiment];

/** The format with exactly this header, or undefined. */
export function formatOf(header: readonly string[]): FileFormat | undefined {
  return FORMATS.find((format) => format.columns.join(',') === header.map((column) => column.trim()).join(','));
}


function time(value: string | undefined): number {
  if (value === undefined || !/^\d{1,16}$/.test(value)) throw new RowRefused('bad_timestamp', `timestamp_ms "${cut(value)}" is not a whole number`);
  const at = Number(value);
  if (at < 1e11) throw new RowRefused('timestamp_unit', `timestamp_ms ${value} looks like seconds; milliseconds are expected`);
  if (at > 4.2e12) throw new RowRefused('timestamp_unit', `timestamp_ms ${value} looks like microseconds; milliseconds are expected`);
  return at;
}

function number(value: string | undefined, column: string): number {
  if (value === undefined || !/^-?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(value)) {
    throw new RowRefused('bad_number', `${column} "${cut(value)}" is not a number`);
  }
  const digits = value.replace(/[eE].*$/, '').replace(/[-.]/g, '').replace(/^0+/, '').replace(/0+$/, '');
  if (digits.length > 15) throw new RowRefused('too_many_digits', `${column} "${cut(value)}" has more than 15 significant digits`);
  const result = Number(value);
  if (!Number.isFinite(result)) throw new RowRefused('bad_number', `${column} "${cut(value)}" is not a finite number`);
  return result;
}

function text(value: string | undefined, column: string): string {
  if (value === undefined || !/^[A-Za-z0-9_:@/-]{1,40}$/.test(value)) throw new RowRefused('bad_symbol', `${column} "${cut(value)}" is no symbol`);
  return value;
}

function takerSide(value: string | undefined): 'buy' | 'sell' {
  if (value === 'buy' || value === 'sell') return value;
  throw new RowRefused('bad_side', `side "${cut(value)}" is neither buy nor sell`);
}

function cut(value: string | undefined): string {
  return value === undefined ? '' : value.slice(0, 40);
}

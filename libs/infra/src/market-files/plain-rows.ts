import {
  closedData,
  isConsistent,
  openedData,
  openingOf,
  quoteOfBar,
  tickInputs,
  type Candle,
  type Named,
} from './candles';
import { FIRST_MS, LAST_MS, quoteOfTrade, tradeData, type FormatContext, type Trade } from './formats';
import { NEWLINE } from './pieces';
import { DecimalScanner, stampAt, SymbolTable } from './plain-fields';
import { BAR_CLOSED, BAR_OPENED, RecordedInput, TRADE } from './recorded-input';
import type { TradeOrdinals } from './trade-ordinals';

/** A symbol of a file that has had a row which was checked the long way: what its rows have in common is known to be right. */
export interface RowSymbol {
  /** The symbol and its comma. */
  readonly bytes: Buffer;
  readonly named: Named;
  /** Stamp of its last row, ms. */
  at: number;
  /** The last input that this row gave. */
  last: RecordedInput | null;
  /** Where its last bar ended, ms, and the quote volume of that. */
  endedAt: number;
  endedQuote: number;
}

/** Where plain rows go. */
export interface RowSink {
  /** An input at the time of its row; `quote` is what it adds to `volume_1m`. */
  now(input: RecordedInput, quote: number): void;
  /** An input later than its row: rows that follow may have earlier ones. */
  later(input: RecordedInput): void;
}

/** The short way for rows of one kind whose every field is plain. */
export interface PlainRows {
  readonly symbols: SymbolTable<RowSymbol>;
  /**
   * Takes the row that begins at `start`. Returns where the next line begins, or −1 when the row has to go the long way:
   * then nothing has happened.
   */
  take(bytes: Buffer, start: number): number;
}

const COMMA = 0x2c;
/** Digits of a time stamp and the comma behind it. */
const STAMP_LENGTH = 14;
const BUY = Buffer.from('buy\n');
const SELL = Buffer.from('sell\n');

/** Candles: as bars, or as ticks where that is asked for. */
export class PlainCandles implements PlainRows {
  readonly symbols = new SymbolTable<RowSymbol>();
  private readonly scanner = new DecimalScanner();
  /** The row under way. */
  private readonly row: Candle = { at: 0.5, open: 0.5, high: 0.5, low: 0.5, close: 0.5, volume: 0.5 };

  constructor(
    private readonly context: FormatContext,
    private readonly sink: RowSink,
  ) {}

  take(bytes: Buffer, start: number): number {
    const at = stampAt(bytes, start);
    if (at < 0) return -1;
    const symbol = this.symbols.at(bytes, start + STAMP_LENGTH);
    // A second row of one instant may be a repeat or a conflict.
    if (symbol === undefined || symbol.at === at) return -1;
    const { row, scanner, context } = this;
    scanner.at = start + STAMP_LENGTH + symbol.bytes.length;
    row.at = at;
    row.open = scanner.next(bytes, COMMA);
    if (!(row.open > 0)) return -1;
    row.high = scanner.next(bytes, COMMA);
    if (!(row.high > 0)) return -1;
    row.low = scanner.next(bytes, COMMA);
    if (!(row.low > 0)) return -1;
    row.close = scanner.next(bytes, COMMA);
    if (!(row.close > 0)) return -1;
    row.volume = scanner.next(bytes, NEWLINE);
    if (!(row.volume >= 0) || !isConsistent(row)) return -1;
    const openedAt = openingOf(row, context);
    if (openedAt < FIRST_MS || openedAt + context.intervalMs > LAST_MS) return -1;
    symbol.at = at;
    if (context.asTicks) takeTicks(row, symbol, this.context, this.sink);
    else this.takeBar(row, symbol);
    return scanner.at;
  }

  private takeBar(row: Candle, symbol: RowSymbol): void {
    const { context, sink } = this;
    const closed = RecordedInput.of(BAR_CLOSED, closedData(row, symbol.named, context), context.origin);
    symbol.last = closed;
    sink.now(RecordedInput.of(BAR_OPENED, openedData(row, symbol.named, context), context.origin), 0);
    sink.later(closed);
  }
}

/** A candle's ticks; the first one brings the volume of the bar before it, when that has just ended. */
export function takeTicks(row: Candle, symbol: RowSymbol, context: FormatContext, sink: RowSink): void {
  const openedAt = openingOf(row, context);
  const quote = symbol.endedAt === openedAt ? symbol.endedQuote : 0;
  symbol.endedAt = openedAt + context.intervalMs;
  symbol.endedQuote = quoteOfBar(row, symbol.named, context);
  const ticks = tickInputs(row, symbol.named, context, context.origin);
  ticks.forEach((tick, index) => (index === 0 ? sink.now(tick, quote) : sink.later(tick)));
  symbol.last = ticks[ticks.length - 1] ?? null;
}

/** Trades. */
export class PlainTrades implements PlainRows {
  readonly symbols = new SymbolTable<RowSymbol>();
  private readonly scanner = new DecimalScanner();
  private readonly row: Trade = { at: 0.5, price: 0.5, size: 0.5, side: 'buy' };

  constructor(
    private readonly context: FormatContext,
    private readonly ordinals: TradeOrdinals,
    private readonly sink: RowSink,
  ) {}

  take(bytes: Buffer, start: number): number {
    const at = stampAt(bytes, start);
    const symbol = at < 0 ? undefined : this.symbols.at(bytes, start + STAMP_LENGTH);
    if (symbol === undefined) return -1;
    const { row, scanner } = this;
    scanner.at = start + STAMP_LENGTH + symbol.bytes.length;
    row.at = at;
    row.price = scanner.next(bytes, COMMA);
    if (!(row.price > 0)) return -1;
    row.size = scanner.next(bytes, COMMA);
    if (!(row.size > 0)) return -1;
    const isSell = isAt(bytes, scanner.at, SELL);
    if (!isSell && !isAt(bytes, scanner.at, BUY)) return -1;
    row.side = isSell ? 'sell' : 'buy';
    const { named } = symbol;
    const ordinal = this.ordinals.next(named.instrument, row);
    const distinction = ordinal === 0 ? undefined : { ordinal };
    const input = RecordedInput.of(TRADE, tradeData(row, named), this.context.origin, distinction);
    this.sink.now(input, quoteOfTrade(row, named));
    return scanner.at + (isSell ? SELL.length : BUY.length);
  }
}

function isAt(bytes: Uint8Array, start: number, expected: Uint8Array): boolean {
  for (let index = 0; index < expected.length; index += 1) {
    if (bytes[start + index] !== expected[index]) return false;
  }
  return true;
}

import { decimal, eachOf, list, MessageRefused, positive, record, show, text, time } from './fields';
import { parseTrade, type RefusePart, type VenueTrade } from './parse';

/** One candle as `candleSnapshot` gives it; stamps are bar opens. */
export interface VenueCandle {
  openedAt: number;
  open: number;
  high: number;
  low: number;
  close: number;
  /** In base asset. */
  volume: number;
}

export interface VenueFunding {
  /** When it was settled, ms: a few milliseconds after the hour. */
  time: number;
  rate: number;
}

/** What `meta` says of one perpetual. */
export interface VenueTerms {
  szDecimals: number;
  maxLeverage: number;
  isDelisted: boolean;
  /** Rising by lower bound (USD notional), the first from '0'. */
  tiers: { lowerBound: string; maxLeverage: number }[];
}

const MINUTE = 60_000;

/** Answer to `recentTrades`, oldest first. */
export function parseRecentTrades(answer: unknown, refusePart: RefusePart): VenueTrade[] {
  const trades = eachOf(list(answer, 'recentTrades'), parseTrade, refusePart);
  return trades.sort((a, b) => a.time - b.time || a.tid - b.tid);
}

/** Answer to `candleSnapshot` with interval 1m, oldest first, one candle a minute. */
export function parseCandles(answer: unknown, refusePart: RefusePart): VenueCandle[] {
  const candles = eachOf(list(answer, 'candleSnapshot'), parseCandle, refusePart);
  const byMinute = new Map(candles.map((candle) => [candle.openedAt, candle]));
  return [...byMinute.values()].sort((a, b) => a.openedAt - b.openedAt);
}

function parseCandle(part: unknown): VenueCandle {
  const fields = record(part, 'a candle');
  const openedAt = time(fields, 't');
  if (fields.i !== '1m' || openedAt % MINUTE !== 0) {
    throw new MessageRefused(
      'shape',
      `the candle is of ${show(fields.i)} at ${openedAt}; one on a whole minute is expected`,
    );
  }
  const [open, high, low, close] = [
    positive(fields, 'o'),
    positive(fields, 'h'),
    positive(fields, 'l'),
    positive(fields, 'c'),
  ];
  const volume = decimal(fields, 'v');
  if (high < Math.max(open, close, low) || low > Math.min(open, close) || volume < 0) {
    throw new MessageRefused(
      'ohlc_inconsistent',
      `o ${open} h ${high} l ${low} c ${close} v ${volume} do not fit together`,
    );
  }
  return { openedAt, open, high, low, close, volume };
}

/** Answer to `fundingHistory`, oldest first. */
export function parseFundingHistory(answer: unknown, refusePart: RefusePart): VenueFunding[] {
  const settled = eachOf(
    list(answer, 'fundingHistory'),
    (part) => {
      const fields = record(part, 'a funding rate');
      return { time: time(fields, 'time'), rate: decimal(fields, 'fundingRate') };
    },
    refusePart,
  );
  return settled.sort((a, b) => a.time - b.time);
}

/**
 * What `meta` says of a coin. Margin tables below number 50 are not listed: one tier whose leverage is the number.
 * @throws MessageRefused when the venue does not know the coin
 */
export function parseTerms(answer: unknown, coin: string): VenueTerms {
  const meta = record(answer, 'meta');
  const found = list(meta.universe, 'universe').find((one) => record(one, 'an asset').name === coin);
  if (found === undefined) throw new MessageRefused('unknown_coin', `the venue has no perpetual "${coin}"`);
  const asset = record(found, 'an asset');
  const maxLeverage = whole(asset, 'maxLeverage');
  const tiers = marginTiers(list(meta.marginTables ?? [], 'marginTables'), asset.marginTableId);
  return {
    szDecimals: whole(asset, 'szDecimals'),
    maxLeverage,
    isDelisted: asset.isDelisted === true,
    tiers: tiers ?? [{ lowerBound: '0', maxLeverage }],
  };
}

function marginTiers(tables: readonly unknown[], id: unknown): VenueTerms['tiers'] | undefined {
  for (const entry of tables) {
    const [number, table] = list(entry, 'a margin table');
    if (number !== id) continue;
    return list(record(table, 'a margin table').marginTiers, 'marginTiers').map((one) => {
      const tier = record(one, 'a margin tier');
      decimal(tier, 'lowerBound');
      return { lowerBound: text(tier, 'lowerBound').replace(/\.0+$/, ''), maxLeverage: whole(tier, 'maxLeverage') };
    });
  }
  return undefined;
}

function whole(fields: Readonly<Record<string, unknown>>, name: string): number {
  const value = fields[name];
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw new MessageRefused('shape', `${name} is ${show(value)}; a whole number is expected`);
}

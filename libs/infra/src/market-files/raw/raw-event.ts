import type { EventData, EventType } from '@moon/events';
import { RowRefused, type ResolvedInstrument } from '../formats';

/** An event that a recorded message stands for, before it has an id. */
export interface RawEvent<T extends EventType = EventType> {
  type: T;
  /** The venue's time, ms. */
  at: number;
  data: EventData<T>;
  instrument: string;
  token: string;
  /** The venue's own numbers of it (rule 3). */
  identity: ReadonlyArray<string | number>;
  /** Of a trade: its value in quote currency. */
  quote?: number;
}

/** What a feed's messages become. It keeps what it needs to tell repeats and gaps; one for each reading. */
export interface RawFeed {
  /**
   * @param message a parsed line
   * @throws RowRefused for a message that breaks the feed's format
   */
  take(message: unknown): RawEvent[];
  readonly counts: RawCounts;
}

/** What was met beside events. */
export interface RawCounts {
  /** Messages of kinds that say nothing here (answers to subscriptions, other channels). */
  passedOver: number;
  /** Trades that came before, by their ids. */
  repeats: number;
  /** Places where updates of a book are missing. */
  sequenceGaps: SequenceGap[];
  /** Deltas that a snapshot already has in it, or that came before any. */
  oldDeltas: number;
}

export interface SequenceGap {
  instrument: string;
  /** Venue time of the update before it and of the one after, ms. */
  from: number;
  to: number;
  /** Number that should have come before, and the one that did. */
  expected: number;
  found: number;
}

export const emptyCounts = (): RawCounts => ({ passedOver: 0, repeats: 0, sequenceGaps: [], oldDeltas: 0 });

export interface Level {
  price: number;
  size: number;
}

export type Fields = Readonly<Record<string, unknown>>;

export function fieldsOf(value: unknown, what: string): Fields {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields;
  throw new RowRefused('bad_message', `${what} is no object`);
}

export function listOf(value: unknown, what: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw new RowRefused('bad_message', `${what} is no list`);
}

/** A decimal as text, as venues send prices and sizes. */
export function numberOf(value: unknown, what: string): number {
  const number = typeof value === 'string' && /^\d+(\.\d+)?$/.test(value) ? Number(value) : Number.NaN;
  if (Number.isFinite(number)) return number;
  throw new RowRefused('bad_number', `${what} ${JSON.stringify(value)?.slice(0, 40)} is not a number`);
}

export function positiveOf(value: unknown, what: string): number {
  const number = numberOf(value, what);
  if (number > 0) return number;
  throw new RowRefused('not_positive', `${what} ${number} must be above zero`);
}

export function wholeOf(value: unknown, what: string): number {
  if (Number.isSafeInteger(value)) return value as number;
  throw new RowRefused('bad_number', `${what} ${JSON.stringify(value)?.slice(0, 40)} is not a whole number`);
}

export function textOf(value: unknown, what: string): string {
  if (typeof value === 'string' && /^[A-Za-z0-9_:@/-]{1,40}$/.test(value)) return value;
  throw new RowRefused('bad_symbol', `${what} ${JSON.stringify(value)?.slice(0, 40)} is no symbol`);
}

/** Value of a trade in quote currency. */
export const quoteOf = ({ quotePerContract }: ResolvedInstrument, price: number, size: number): number =>
  size * (quotePerContract ?? price);

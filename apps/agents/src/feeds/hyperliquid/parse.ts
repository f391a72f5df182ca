import {
  decimal,
  eachOf,
  list,
  MessageRefused,
  parseJson,
  positive,
  record,
  show,
  takerSide,
  text,
  time,
} from './fields';

/** One trade as the venue tells it. */
export interface VenueTrade {
  coin: string;
  /** Venue time, ms. */
  time: number;
  price: number;
  /** In base asset. */
  size: number;
  side: 'buy' | 'sell';
  /** Unique together with coin and time. */
  tid: number;
}

/** Best prices of a book; null where that side is empty. */
export interface VenueBook {
  coin: string;
  time: number;
  bid: number | null;
  ask: number | null;
}

/** Reference prices and the funding rate that is accruing (a share of the notional, hourly). The venue gives no time with it. */
export interface VenueContext {
  coin: string;
  mark: number;
  oracle: number;
  funding: number;
}

export type VenueMessage =
  | { kind: 'trades'; trades: VenueTrade[] }
  | { kind: 'book'; book: VenueBook }
  | { kind: 'context'; context: VenueContext }
  | { kind: 'subscribed'; subscription: string }
  | { kind: 'pong' }
  | { kind: 'greeting' };

export type RefusePart = (error: MessageRefused, part: unknown) => void;

/** The server says this in plain text before anything else. */
const GREETING = 'Websocket connection established.';

/**
 * Reads one WebSocket message.
 *
 * @param refusePart hears of single trades that cannot be used
 * @throws MessageRefused when the whole message cannot be used
 */
export function parseMessage(content: string, refusePart: RefusePart): VenueMessage {
  if (content.trim() === GREETING) return { kind: 'greeting' };
  const message = record(parseJson(content), 'the message');
  switch (message.channel) {
    case 'trades':
      return { kind: 'trades', trades: eachOf(list(message.data, 'data'), parseTrade, refusePart) };
    case 'bbo':
      return { kind: 'book', book: parseBbo(record(message.data, 'data')) };
    case 'l2Book':
      return { kind: 'book', book: parseL2Book(record(message.data, 'data')) };
    case 'activeAssetCtx':
      return { kind: 'context', context: parseContext(record(message.data, 'data')) };
    case 'subscriptionResponse':
      return { kind: 'subscribed', subscription: subscriptionName(record(message.data, 'data')) };
    case 'pong':
      return { kind: 'pong' };
    case 'error':
      throw new MessageRefused('venue_error', `the venue says: ${show(message.data)}`);
    default:
      throw new MessageRefused('unknown_channel', `channel is ${show(message.channel)}; nobody subscribed to that`);
  }
}

export function parseTrade(part: unknown): VenueTrade {
  const trade = record(part, 'a trade');
  const { tid } = trade;
  if (typeof tid !== 'number' || !Number.isSafeInteger(tid) || tid < 0) {
    throw new MessageRefused('shape', `tid is ${show(tid)}; a whole number is expected`);
  }
  return {
    coin: text(trade, 'coin'),
    time: time(trade, 'time'),
    price: positive(trade, 'px'),
    size: positive(trade, 'sz'),
    side: takerSide(trade, 'side'),
    tid,
  };
}

function parseBbo(data: Readonly<Record<string, unknown>>): VenueBook {
  const sides = list(data.bbo, 'bbo');
  if (sides.length !== 2)
    throw new MessageRefused('shape', `bbo has ${sides.length} entries; bid and ask are expected`);
  return checkedBook({ coin: text(data, 'coin'), time: time(data, 'time'), bid: best(sides[0]), ask: best(sides[1]) });
}

function parseL2Book(data: Readonly<Record<string, unknown>>): VenueBook {
  const sides = list(data.levels, 'levels');
  if (sides.length !== 2)
    throw new MessageRefused('shape', `levels has ${sides.length} entries; bids and asks are expected`);
  const [bid, ask] = [list(sides[0], 'bids')[0] ?? null, list(sides[1], 'asks')[0] ?? null];
  return checkedBook({ coin: text(data, 'coin'), time: time(data, 'time'), bid: best(bid), ask: best(ask) });
}

function best(level: unknown): number | null {
  if (level === null) return null;
  const fields = record(level, 'a level');
  positive(fields, 'sz');
  return positive(fields, 'px');
}

/** A bid at or above the ask would have traded: such a book is no fact. */
function checkedBook(book: VenueBook): VenueBook {
  if (book.bid !== null && book.ask !== null && book.bid >= book.ask) {
    throw new MessageRefused('crossed_book', `bid ${book.bid} is not below ask ${book.ask}`);
  }
  return book;
}

function parseContext(data: Readonly<Record<string, unknown>>): VenueContext {
  const context = record(data.ctx, 'ctx');
  return {
    coin: text(data, 'coin'),
    mark: positive(context, 'markPx'),
    oracle: positive(context, 'oraclePx'),
    funding: decimal(context, 'funding'),
  };
}

/** 'trades BTC' of the echoed subscription, which may carry more keys than were sent. */
function subscriptionName(data: Readonly<Record<string, unknown>>): string {
  const subscription = record(data.subscription, 'subscription');
  return `${text(subscription, 'type')} ${text(subscription, 'coin')}`;
}

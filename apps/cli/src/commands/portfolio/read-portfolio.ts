import {
  averagePrice,
  createPriceBook,
  evolveOrder,
  evolvePortfolio,
  findInstrument,
  foldPrice,
  valuation,
  type OrderState,
  type PortfolioState,
  type PriceBook,
  type Valuation,
} from '@moon/domain';
import type { EventType } from '@moon/events';
import type { EventStore, LogRow } from '@moon/kernel';
import type { HaltInForce } from '../../store/halts-in-force';
import type { ReadLog } from '../../store/run-log';

/** A portfolio as the log tells it. */
export interface PortfolioView {
  state: PortfolioState;
  /** Halts of the portfolio and global ones. */
  halts: HaltInForce[];
  value: Valuation;
  /** Average entry prices by instrument, decimal strings. */
  entryPrices: Record<string, string>;
  /** Orders that still hold a reservation. */
  orders: OrderState[];
  /** Time of the newest event or price that counts, epoch ms. */
  asOf: number;
}

const PAGE_ROWS = 500;
/** Pages of a token's newest prices that are looked through for one instrument. */
const PRICE_PAGES = 10;
const PRICE_TYPES: readonly EventType[] = ['price.tick', 'bar.opened', 'bar.closed'];

/** Names of the portfolios that were opened, in the order of their opening. */
export async function portfolioNames(store: Pick<EventStore, 'query'>): Promise<string[]> {
  const { rows } = await store.query({ types: ['portfolio.opened'], limit: 1_000 });
  return [...new Set(rows.map(({ event }) => event.key))];
}

/** Folds a portfolio's stream and values it at the last prices of the log; null when it was never opened. */
export async function readPortfolio(
  { events: store, haltsOn }: Pick<ReadLog, 'events' | 'haltsOn'>,
  name: string,
): Promise<PortfolioView | null> {
  let state: PortfolioState | undefined;
  let asOf = 0;
  for await (const { event } of store.readStream(`portfolio-${name}`)) {
    state = evolvePortfolio(state, event);
    asOf = Math.max(asOf, event.occurredAt);
  }
  if (!state) return null;
  const prices = await lastPrices(store, state);
  asOf = Math.max(asOf, ...Object.values(prices.quotes).map(({ at }) => at));
  return {
    state,
    halts: await haltsOn(name),
    value: valuation(state, prices.marks, asOf, null),
    entryPrices: entryPricesOf(state),
    orders: await openOrders(store, state),
    asOf,
  };
}

function entryPricesOf({ positions }: PortfolioState): Record<string, string> {
  const prices: Record<string, string> = {};
  for (const position of Object.values(positions)) {
    const instrument = findInstrument(position.instrument);
    if (instrument) prices[position.instrument] = averagePrice(position, instrument);
  }
  return prices;
}

/** The newest price of each position's price source, marks before last trades as the platform itself takes them. */
async function lastPrices(store: Pick<EventStore, 'query'>, state: PortfolioState): Promise<PriceBook> {
  const instruments = Object.entries(state.config.instruments)
    .filter(([instrument]) => state.positions[instrument])
    .map(([instrument, { priceSource }]) => ({ instrument, priceSource }));
  const book = createPriceBook(instruments);
  const tokens = new Map<string, string[]>();
  for (const { instrument, priceSource } of instruments) {
    const token = findInstrument(priceSource)?.token ?? state.positions[instrument]?.token;
    if (token !== undefined) tokens.set(token, [...(tokens.get(token) ?? []), instrument]);
  }
  for (const [token, wanted] of tokens) await newestPrices(store, book, token, wanted);
  return book;
}

async function newestPrices(
  store: Pick<EventStore, 'query'>,
  book: PriceBook,
  token: string,
  wanted: readonly string[],
): Promise<void> {
  let cursor: string | null = null;
  for (let page = 0; page < PRICE_PAGES; page += 1) {
    const query = { types: PRICE_TYPES, token, order: 'newest', limit: PAGE_ROWS } as const;
    const found: { rows: LogRow[]; cursor: string | null } = await store.query({
      ...query,
      ...(cursor !== null && { cursor }),
    });
    for (const { event } of found.rows.reverse()) foldPrice(book, event);
    cursor = found.cursor;
    if (cursor === null || wanted.every((instrument) => book.marks[instrument] !== undefined)) return;
  }
}

/** An order holds its reservation until it ends, so the reservations name the orders that work. */
async function openOrders(
  store: Pick<EventStore, 'readStream'>,
  { reservations }: PortfolioState,
): Promise<OrderState[]> {
  const orders: OrderState[] = [];
  for (const orderId of Object.keys(reservations)) {
    let order: OrderState | undefined;
    for await (const { event } of store.readStream(`order-${orderId}`)) order = evolveOrder(order, event);
    if (order) orders.push(order);
  }
  return orders.sort((a, b) => a.requestedAt - b.requestedAt);
}

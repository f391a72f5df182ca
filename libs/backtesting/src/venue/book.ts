import type { EmitData } from '@moon/events';
import type { AccountState, BookSide, BookState } from './state';

/** A change of the book, as an event tells it. */
type Levels = EmitData<'book.delta'>['bids'];
type Level = Levels[number];

const emptySide = (): BookSide => ({ prices: [], sizes: [], changed: [] });

/**
 * The book after a snapshot. A level that a snapshot shows as it was before keeps its number of change: what an account
 * took of it is still gone.
 */
export function takeSnapshot(old: BookState | null, snapshot: EmitData<'book.snapshot'>, at: number): BookState {
  const updates = (old?.updates ?? 0) + 1;
  const book: BookState = {
    ...{ updateId: snapshot.updateId ?? 0, updates, at, isBroken: false },
    ...{ bids: emptySide(), asks: emptySide() },
  };
  fill(book.bids, old?.bids, snapshot.bids, { isBid: true, updates });
  fill(book.asks, old?.asks, snapshot.asks, { isBid: false, updates });
  return book;
}

function fill(
  side: BookSide,
  old: BookSide | undefined,
  levels: Levels,
  { isBid, updates }: { isBid: boolean; updates: number },
): void {
  for (const { price, size } of levels) {
    const before = old ? find(old, price, isBid) : -1;
    const isAsBefore = old !== undefined && before >= 0 && old.sizes[before] === size;
    setLevel(side, isBid, price, size, isAsBefore ? (old.changed[before] as number) : updates);
  }
}

/**
 * Puts a delta into the book, by Binance's rules (docs, "How to manage a local order book correctly"): what ends before
 * the book's last update is old; any other must begin at it, or before it as the first one after a snapshot does.
 *
 * @returns `gap` when updates are missing in between: the book is not changed, and it is worth nothing any more
 */
export function takeDelta(book: BookState, delta: EmitData<'book.delta'>, at: number): 'taken' | 'old' | 'gap' {
  const { firstUpdateId, lastUpdateId, previousUpdateId } = delta;
  if (book.updateId > 0) {
    if (lastUpdateId <= book.updateId) return 'old';
    if ((previousUpdateId ?? firstUpdateId - 1) > book.updateId && firstUpdateId > book.updateId) return 'gap';
  }
  book.updateId = lastUpdateId;
  book.updates += 1;
  book.at = at;
  const { updates } = book;
  const { bids, asks } = delta;
  for (let index = 0; index < bids.length; index += 1) {
    const level = bids[index] as Level;
    setLevel(book.bids, true, level.price, level.size, updates);
  }
  for (let index = 0; index < asks.length; index += 1) {
    const level = asks[index] as Level;
    setLevel(book.asks, false, level.price, level.size, updates);
  }
  return 'taken';
}

/**
 * Position of a price in a side whose best price is last; below zero: −1 − where it would stand. Most changes are near
 * the best price, so it is looked for from there in growing steps.
 */
function find({ prices }: BookSide, price: number, isBid: boolean): number {
  let high = prices.length;
  let low = high - 1;
  for (let step = 1; low >= 0; step *= 2) {
    const other = prices[low] as number;
    if (other === price) return low;
    if (isBid ? other < price : other > price) break;
    high = low;
    low -= step;
  }
  low = Math.max(0, low + 1);
  if (low > high) low = high;
  return search(prices, price, isBid, low, high);
}

/** The same between two positions, the upper one excluded. */
function search(prices: readonly number[], price: number, isBid: boolean, from: number, to: number): number {
  let low = from;
  let high = to;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const other = prices[middle] as number;
    if (other === price) return middle;
    if (isBid ? other < price : other > price) low = middle + 1;
    else high = middle;
  }
  return -1 - low;
}

function setLevel(side: BookSide, isBid: boolean, price: number, size: number, updates: number): void {
  const at = find(side, price, isBid);
  if (at < 0) {
    if (size > 0) insert(side, -1 - at, price, size, updates);
  } else if (size > 0) {
    side.sizes[at] = size;
    side.changed[at] = updates;
  } else remove(side, at);
}

/** Near the best price few levels move, and by hand that costs less than a splice, which makes an array each time. */
const MOVED_BY_HAND = 24;

function insert({ prices, sizes, changed }: BookSide, at: number, price: number, size: number, updates: number): void {
  if (prices.length - at > MOVED_BY_HAND) {
    prices.splice(at, 0, price);
    sizes.splice(at, 0, size);
    changed.splice(at, 0, updates);
    return;
  }
  for (let index = prices.length; index > at; index -= 1) {
    prices[index] = prices[index - 1] as number;
    sizes[index] = sizes[index - 1] as number;
    changed[index] = changed[index - 1] as number;
  }
  prices[at] = price;
  sizes[at] = size;
  changed[at] = updates;
}

function remove({ prices, sizes, changed }: BookSide, at: number): void {
  const last = prices.length - 1;
  if (last - at > MOVED_BY_HAND) {
    prices.splice(at, 1);
    sizes.splice(at, 1);
    changed.splice(at, 1);
    return;
  }
  for (let index = at; index < last; index += 1) {
    prices[index] = prices[index + 1] as number;
    sizes[index] = sizes[index + 1] as number;
    changed[index] = changed[index + 1] as number;
  }
  prices.pop();
  sizes.pop();
  changed.pop();
}

/** Best price of a side; 0 = it is empty. */
export function bestOf({ prices }: BookSide): number {
  return prices.length === 0 ? 0 : (prices[prices.length - 1] as number);
}

/** The side that an order of `side` takes from. */
export function oppositeOf(book: BookState, side: 'buy' | 'sell'): BookSide {
  return side === 'buy' ? book.asks : book.bids;
}

/** What the book shows at a price, or null for a price that lies beyond the levels it shows: nobody knows. */
export function sizeAt(book: BookState, side: 'buy' | 'sell', price: number): number | null {
  const isBid = side === 'buy';
  const own = isBid ? book.bids : book.asks;
  const at = find(own, price, isBid);
  if (at >= 0) return own.sizes[at] as number;
  return at === -1 ? null : 0;
}

/** One level that a taker meets: what of it is left for this account. */
export interface Offer {
  price: number;
  changed: number;
  quantity: number;
}

/**
 * What a taker of `side` meets, best first, up to `limit` (0 = none): the levels as recorded, less what this account took
 * of a level since the recorded book last changed it.
 */
export function* offersFor(
  account: AccountState,
  instrument: string,
  book: BookState,
  { side, limit }: { side: 'buy' | 'sell'; limit: number },
): Generator<Offer> {
  const { prices, sizes, changed } = oppositeOf(book, side);
  const taken = account.bookTaken[instrument];
  for (let at = prices.length - 1; at >= 0; at -= 1) {
    const price = prices[at] as number;
    if (limit > 0 && (side === 'buy' ? price > limit : price < limit)) return;
    const stamp = changed[at] as number;
    const gone = taken?.find(([where, when]) => where === price && when === stamp)?.[2] ?? 0;
    const quantity = (sizes[at] as number) - gone;
    if (quantity > 0) yield { price, changed: stamp, quantity };
  }
}

/** Average price of a walk over the book; what is more than it shows is reckoned at its worst level. 0 = an empty side. */
export function averageOver(
  account: AccountState,
  instrument: string,
  book: BookState,
  order: { side: 'buy' | 'sell'; quantity: number },
): number {
  let left = order.quantity;
  let cost = 0;
  let worst = 0;
  for (const { price, quantity } of offersFor(account, instrument, book, { side: order.side, limit: 0 })) {
    const part = Math.min(left, quantity);
    cost += part * price;
    left -= part;
    worst = price;
    if (left <= 0) break;
  }
  return worst === 0 ? 0 : (cost + left * worst) / order.quantity;
}

/** Notes what an account took of a level, and forgets levels that have changed or gone since. */
export function noteTaken(account: AccountState, instrument: string, book: BookState, taken: Offer): void {
  const kept = (account.bookTaken[instrument] ?? []).filter(([price, changed]) => {
    for (const [side, isBid] of [
      [book.bids, true],
      [book.asks, false],
    ] as const) {
      const at = find(side, price, isBid);
      if (at >= 0 && side.changed[at] === changed) return true;
    }
    return false;
  });
  const same = kept.find(([price, changed]) => price === taken.price && changed === taken.changed);
  if (same) same[2] += taken.quantity;
  else kept.push([taken.price, taken.changed, taken.quantity]);
  account.bookTaken[instrument] = kept;
}

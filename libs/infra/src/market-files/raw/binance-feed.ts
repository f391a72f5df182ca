import type { EventData } from '@moon/events';
import { RowRefused, type ResolvedInstrument } from '../formats';
import {
  emptyCounts,
  fieldsOf,
  listOf,
  numberOf,
  positiveOf,
  quoteOf,
  textOf,
  wholeOf,
  type Fields,
  type Level,
  type RawEvent,
  type RawFeed,
} from './raw-event';

interface Quote {
  price: number;
  size: number;
}

/** What is known of one symbol while its messages are read. */
interface SymbolState {
  resolved: ResolvedInstrument;
  lastUpdateId: number;
  lastDeltaAt: number;
  /** Number of the newest snapshot; 0 = none yet. */
  snapshotId: number;
  lastTradeId: number;
  bid: Quote;
  ask: Quote;
}

/**
 * Messages of Binance's streams `depth`, `trade`, `aggTrade` and `bookTicker` (combined or bare) and its REST depth
 * snapshot, as hftbacktest records them. Times are the matching engine's (`T`), else the event's (`E`).
 *
 * Sequence, by "How to manage a local order book correctly": `pu` of a delta is `u` of the one before (USDⓈ-M, COIN-M);
 * on spot, which has no `pu`, `U` is the `u` before plus one. Anything else is a gap. A trade id that does not rise is a
 * repeat. A quote that says what the last one said makes no event: its update touched nothing at the top.
 */
export class BinanceFeed implements RawFeed {
  readonly counts = emptyCounts();
  private readonly symbols = new Map<string, SymbolState>();

  constructor(
    private readonly resolve: (symbol: string) => ResolvedInstrument,
    /** Of a snapshot, which names no symbol: the one of the stream before it. */
    private symbol = '',
  ) {}

  take(message: unknown): RawEvent[] {
    const outer = fieldsOf(message, 'the message');
    if ('lastUpdateId' in outer) return this.snapshot(outer);
    const data = fieldsOf('data' in outer ? outer.data : outer, 'data');
    switch (data.e) {
      case 'depthUpdate':
        return this.delta(data);
      case 'trade':
        return this.trade(data, 't');
      case 'aggTrade':
        return this.trade(data, 'a');
      case 'bookTicker':
        return this.ticker(data);
      default:
        this.counts.passedOver += 1;
        return [];
    }
  }

  private stateOf(symbol: string): SymbolState {
    let state = this.symbols.get(symbol);
    if (!state) {
      state = {
        ...{ resolved: this.resolve(symbol), lastUpdateId: 0, lastDeltaAt: 0, snapshotId: 0, lastTradeId: 0 },
        ...{ bid: { price: 0, size: 0 }, ask: { price: 0, size: 0 } },
      };
      this.symbols.set(symbol, state);
    }
    this.symbol = symbol;
    return state;
  }

  private snapshot(data: Fields): RawEvent[] {
    if (this.symbol === '')
      throw new RowRefused('no_symbol', 'a depth snapshot names no symbol, and no message before it does');
    const state = this.stateOf(this.symbol);
    const { instrument, token } = state.resolved;
    const at = timeOf(data);
    const updateId = wholeOf(data.lastUpdateId, 'lastUpdateId');
    state.snapshotId = updateId;
    const [bids, asks] = [levelsOf(data.bids, 'bids'), levelsOf(data.asks, 'asks')];
    const event: EventData<'book.snapshot'> = {
      ...{ event_type: 'book.snapshot', token, instrument, bids, asks, updateId, timestamp: at },
    };
    return [{ type: 'book.snapshot', at, data: event, instrument, token, identity: [updateId] }];
  }

  private delta(data: Fields): RawEvent[] {
    const state = this.stateOf(textOf(data.s, 'symbol'));
    const { instrument, token } = state.resolved;
    const at = timeOf(data);
    const firstUpdateId = wholeOf(data.U, 'U');
    const lastUpdateId = wholeOf(data.u, 'u');
    const previous = data.pu === undefined ? null : wholeOf(data.pu, 'pu');
    const [bids, asks] = [levelsOf(data.b, 'b'), levelsOf(data.a, 'a')];
    const found = previous ?? firstUpdateId - 1;
    if (state.lastUpdateId > 0 && lastUpdateId <= state.lastUpdateId) {
      this.counts.repeats += 1;
      return [];
    }
    if (state.lastUpdateId > 0 && found !== state.lastUpdateId) {
      this.counts.sequenceGaps.push({
        ...{ instrument, from: state.lastDeltaAt, to: at, expected: state.lastUpdateId, found },
      });
    }
    state.lastUpdateId = lastUpdateId;
    state.lastDeltaAt = at;
    if (lastUpdateId <= state.snapshotId) this.counts.oldDeltas += 1;
    const event: EventData<'book.delta'> = {
      ...{ event_type: 'book.delta', token, instrument, bids, asks, firstUpdateId, lastUpdateId },
      ...(previous === null ? {} : { previousUpdateId: previous }),
      timestamp: at,
    };
    return [{ type: 'book.delta', at, data: event, instrument, token, identity: [firstUpdateId, lastUpdateId] }];
  }

  private trade(data: Fields, idField: 't' | 'a'): RawEvent[] {
    const state = this.stateOf(textOf(data.s, 'symbol'));
    const { instrument, token } = state.resolved;
    const at = timeOf(data);
    const id = wholeOf(data[idField], idField);
    const price = positiveOf(data.p, 'p');
    const size = positiveOf(data.q, 'q');
    if (typeof data.m !== 'boolean')
      throw new RowRefused('bad_side', 'm (the buyer is the maker) is not true or false');
    if (id <= state.lastTradeId) {
      this.counts.repeats += 1;
      return [];
    }
    state.lastTradeId = id;
    const side = data.m ? 'sell' : 'buy';
    const event: EventData<'price.tick'> = {
      ...{ event_type: 'price.tick', token, price, volume_1m: 0, timestamp: at, instrument, kind: 'last' },
      ...{ size, side, tradeId: String(id) },
    };
    const quote = quoteOf(state.resolved, price, size);
    return [{ type: 'price.tick', at, data: event, instrument, token, identity: [id], quote }];
  }

  private ticker(data: Fields): RawEvent[] {
    const state = this.stateOf(textOf(data.s, 'symbol'));
    const at = timeOf(data);
    const update = wholeOf(data.u, 'u');
    const events: RawEvent[] = [];
    for (const [kind, price, size] of [
      ['bid', positiveOf(data.b, 'b'), numberOf(data.B, 'B')],
      ['ask', positiveOf(data.a, 'a'), numberOf(data.A, 'A')],
    ] as const) {
      const known = state[kind];
      if (known.price === price && known.size === size) continue;
      state[kind] = { price, size };
      const { instrument, token } = state.resolved;
      const event: EventData<'price.tick'> = {
        ...{ event_type: 'price.tick', token, price, volume_1m: 0, timestamp: at, instrument, kind },
      };
      events.push({ type: 'price.tick', at, data: event, instrument, token, identity: [kind, update] });
    }
    return events;
  }
}

const timeOf = (data: Fields): number => wholeOf(data.T ?? data.E, 'T');

function levelsOf(value: unknown, what: string): Level[] {
  return listOf(value, what).map((level) => {
    const [price, size] = listOf(level, `a level of ${what}`);
    return { price: positiveOf(price, `a price of ${what}`), size: numberOf(size, `a size of ${what}`) };
  });
}

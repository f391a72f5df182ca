import type { EventData } from '@moon/events';
import { RowRefused, type ResolvedInstrument } from '../formats';
import {
  emptyCounts,
  fieldsOf,
  listOf,
  positiveOf,
  quoteOf,
  textOf,
  wholeOf,
  type Level,
  type RawEvent,
  type RawFeed,
} from './raw-event';

/** Trade ids do not rise, so the newest are remembered: a subscription begins with trades that were told before. */
const REMEMBERED_TRADES = 50_000;

/**
 * Messages of HyperLiquid's channels `l2Book` (20 levels a side, each message a whole book without a number) and
 * `trades`. Without numbers no gap can be told; a later book stands for itself.
 */
export class HyperliquidFeed implements RawFeed {
  readonly counts = emptyCounts();
  private readonly trades = new Set<number>();

  constructor(private readonly resolve: (symbol: string) => ResolvedInstrument) {}

  take(message: unknown): RawEvent[] {
    const { channel, data } = fieldsOf(message, 'the message');
    if (channel === 'l2Book') return [this.book(data)];
    if (channel === 'trades') return listOf(data, 'data').flatMap((trade) => this.trade(trade));
    this.counts.passedOver += 1;
    return [];
  }

  private book(value: unknown): RawEvent {
    const data = fieldsOf(value, 'data');
    const { instrument, token } = this.resolve(textOf(data.coin, 'coin'));
    const at = wholeOf(data.time, 'time');
    const [bids, asks] = listOf(data.levels, 'levels').map(levelsOf);
    if (!bids || !asks) throw new RowRefused('bad_message', 'levels has not two sides');
    const event: EventData<'book.snapshot'> = {
      ...{ event_type: 'book.snapshot', token, instrument, bids, asks, timestamp: at },
    };
    return { type: 'book.snapshot', at, data: event, instrument, token, identity: [] };
  }

  private trade(value: unknown): RawEvent[] {
    const data = fieldsOf(value, 'a trade');
    const resolved = this.resolve(textOf(data.coin, 'coin'));
    const { instrument, token } = resolved;
    const at = wholeOf(data.time, 'time');
    const id = wholeOf(data.tid, 'tid');
    const price = positiveOf(data.px, 'px');
    const size = positiveOf(data.sz, 'sz');
    if (data.side !== 'A' && data.side !== 'B') throw new RowRefused('bad_side', 'side is neither A nor B');
    if (this.trades.has(id)) {
      this.counts.repeats += 1;
      return [];
    }
    this.remember(id);
    const side = data.side === 'B' ? 'buy' : 'sell';
    const event: EventData<'price.tick'> = {
      ...{ event_type: 'price.tick', token, price, volume_1m: 0, timestamp: at, instrument, kind: 'last' },
      ...{ size, side, tradeId: String(id) },
    };
    return [
      { type: 'price.tick', at, data: event, instrument, token, identity: [id], quote: quoteOf(resolved, price, size) },
    ];
  }

  private remember(id: number): void {
    this.trades.add(id);
    if (this.trades.size <= REMEMBERED_TRADES) return;
    for (const oldest of this.trades) {
      this.trades.delete(oldest);
      return;
    }
  }
}

function levelsOf(side: unknown): Level[] {
  return listOf(side, 'a side').map((value) => {
    const level = fieldsOf(value, 'a level');
    return { price: positiveOf(level.px, 'px'), size: positiveOf(level.sz, 'sz') };
  });
}

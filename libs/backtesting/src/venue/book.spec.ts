import fc from 'fast-check';
import type { EmitData } from '@moon/events';
import { bench, brief, SPOT } from '../testing/engine-bench';
import { marketEvent, T0, tick } from '../testing/venue-desk';
import { averageOver, takeDelta, takeSnapshot } from './book';
import { createQueueModel, pastTheFront, type QueuePosition } from './models/queue';
import type { AccountState } from './state';

type Levels = readonly (readonly [price: number, size: number])[];
const levels = (rows: Levels) => rows.map(([price, size]) => ({ price, size }));

const BIDS: Levels = [
  [39_999, 1],
  [39_998, 2],
  [39_990, 5],
];
const ASKS: Levels = [
  [40_001, 1],
  [40_002, 2],
  [40_010, 5],
];

const snapshotData = (bids: Levels, asks: Levels, at: number, updateId?: number): EmitData<'book.snapshot'> => ({
  ...{ token: 'BTC', instrument: SPOT, bids: levels(bids), asks: levels(asks), timestamp: T0 + at },
  ...(updateId === undefined ? {} : { updateId }),
});
const deltaData = (
  ids: [from: number, to: number],
  bids: Levels,
  asks: Levels,
  at: number,
): EmitData<'book.delta'> => ({
  ...{ token: 'BTC', instrument: SPOT, bids: levels(bids), asks: levels(asks), timestamp: T0 + at },
  ...{ firstUpdateId: ids[0], lastUpdateId: ids[1], previousUpdateId: ids[0] - 1 },
});
const snapshot = (at: number, bids = BIDS, asks = ASKS, updateId = 100) =>
  marketEvent('book.snapshot', T0 + at, snapshotData(bids, asks, at, updateId));
const delta = (at: number, ids: [from: number, to: number], bids: Levels, asks: Levels = []) =>
  marketEvent('book.delta', T0 + at, deltaData(ids, bids, asks, at));

const withBook = (queue: 'conservative' | 'probabilistic' = 'conservative') => {
  const made = bench({ book: { queue } });
  made.engine.market(tick(SPOT, 0, 40_000, { size: 1 }));
  made.engine.market(snapshot(0));
  return made;
};
const limit = (limitPrice: string, sentAt = 0) => ({ orderType: 'LIMIT', limitPrice, sentAt }) as const;

describe('a taker and the order book', () => {
  it('walks the visible levels, a fill for each, and waits for more', () => {
    const { engine, submit } = withBook();
    expect(brief(submit(SPOT, 'buy', '9'))).toEqual(['accepted', 'taker 1@40001', 'taker 2@40002', 'taker 5@40010']);
    expect(brief(engine.market(delta(1, [101, 101], [], [[40_003, 4]])))).toEqual(['taker 1@40003']);
  });

  it('as IOC ends with what it got; a limit bounds the walk', () => {
    const { submit } = withBook();
    expect(brief(submit(SPOT, 'sell', '4', { timeInForce: 'IOC', ...limit('39998') }))).toEqual([
      ...['accepted', 'taker 1@39999', 'taker 2@39998'],
      'cancelled ioc_remainder',
    ]);
  });

  it('does not take the same liquidity twice until the recorded book changes that level', () => {
    const { engine, submit } = withBook();
    expect(brief(submit(SPOT, 'buy', '1'))).toEqual(['accepted', 'taker 1@40001']);
    expect(brief(submit(SPOT, 'buy', '1'))).toEqual(['accepted', 'taker 1@40002']);
    engine.market(delta(1, [101, 101], [], [[40_001, 0.5]]));
    expect(brief(submit(SPOT, 'buy', '2', { sentAt: 1 }))).toEqual([
      'accepted',
      'taker 0.5@40001',
      'taker 1@40002',
      'taker 0.5@40010',
    ]);
    // The recorded book itself is as it was recorded.
    expect(engine.state().markets[SPOT]?.book?.asks.sizes).toEqual([5, 2, 0.5]);
  });

  it('pays more on average the more it takes', () => {
    const side = fc.array(fc.tuple(fc.integer({ min: 1, max: 500 }), fc.integer({ min: 1, max: 50 })), {
      minLength: 1,
      maxLength: 40,
    });
    fc.assert(
      fc.property(side, fc.integer({ min: 1, max: 900 }), fc.integer({ min: 1, max: 900 }), (rows, one, other) => {
        const book = takeSnapshot(
          null,
          snapshotData(
            [],
            rows.map(([step, size]) => [40_000 + step, size]),
            0,
          ),
          T0,
        );
        const bids = takeSnapshot(
          null,
          snapshotData(
            rows.map(([step, size]) => [40_000 - step, size]),
            [],
            0,
          ),
          T0,
        );
        const account = { bookTaken: {} } as unknown as AccountState;
        const [less, more] = [Math.min(one, other), Math.max(one, other)];
        const buy = (quantity: number) => averageOver(account, SPOT, book, { side: 'buy', quantity });
        const sell = (quantity: number) => averageOver(account, SPOT, bids, { side: 'sell', quantity });
        expect(buy(more)).toBeGreaterThanOrEqual(buy(less) - 1e-9);
        expect(sell(more)).toBeLessThanOrEqual(sell(less) + 1e-9);
      }),
    );
  });
});

describe('a recorded book', () => {
  it('stays what a plain map of prices says, whatever changes', () => {
    const change = fc.tuple(fc.boolean(), fc.integer({ min: 1, max: 60 }), fc.integer({ min: 0, max: 3 }));
    fc.assert(
      fc.property(fc.array(change, { maxLength: 300 }), (changes) => {
        const book = takeSnapshot(null, snapshotData(BIDS, ASKS, 0, 1), T0);
        const plain = { bids: new Map(BIDS), asks: new Map(ASKS) };
        changes.forEach(([isBid, price, size], index) => {
          const rows: Levels = [[price, size]];
          expect(takeDelta(book, deltaData([index + 2, index + 2], isBid ? rows : [], isBid ? [] : rows, 0), T0)).toBe(
            'taken',
          );
          const side = isBid ? plain.bids : plain.asks;
          if (size > 0) side.set(price, size);
          else side.delete(price);
        });
        const told = ({ prices, sizes }: { prices: number[]; sizes: number[] }) =>
          prices.map((price, i) => [price, sizes[i]]);
        expect(told(book.bids)).toEqual([...plain.bids].sort((a, b) => a[0] - b[0]));
        expect(told(book.asks)).toEqual([...plain.asks].sort((a, b) => b[0] - a[0]));
      }),
    );
  });

  it('is not used after a gap in its numbers, until the next snapshot', () => {
    const { engine, submit } = withBook();
    engine.market(delta(1, [105, 106], [], [[40_001, 9]]));
    expect(engine.state().markets[SPOT]?.book?.isBroken).toBe(true);
    engine.market(tick(SPOT, 6_000, 40_500));
    expect(brief(submit(SPOT, 'buy', '1', { sentAt: 6_000 }))).toEqual(['accepted', 'taker 1@40500']);
    engine.market(snapshot(6_001, [[40_498, 1]], [[40_502, 1]], 110));
    expect(brief(submit(SPOT, 'buy', '1', { sentAt: 6_001 }))).toEqual(['accepted', 'taker 1@40502']);
  });

  it('passes over deltas that the snapshot has in it, and takes the one that spans it', () => {
    const book = takeSnapshot(null, snapshotData(BIDS, ASKS, 0, 100), T0);
    const spanning = { ...deltaData([98, 103], [[39_999, 7]], [], 0), previousUpdateId: 97 };
    expect(takeDelta(book, { ...deltaData([90, 100], [[39_999, 9]], [], 0) }, T0)).toBe('old');
    expect(takeDelta(book, spanning, T0)).toBe('taken');
    expect(takeDelta(book, spanning, T0)).toBe('old');
    expect(takeDelta(book, deltaData([104, 104], [], [], 0), T0)).toBe('taken');
    expect(takeDelta(book, deltaData([106, 106], [], [], 0), T0)).toBe('gap');
  });
});

describe('a resting order in the queue of its price', () => {
  it('is filled by what is traded past what stood before it', () => {
    const { engine, submit } = withBook();
    submit(SPOT, 'buy', '3', limit('39998'));
    expect(engine.market(tick(SPOT, 1, 39_998, { size: 1.5, side: 'sell' }))).toEqual([]);
    expect(engine.market(tick(SPOT, 2, 39_998, { size: 0.5, side: 'sell' }))).toEqual([]);
    expect(brief(engine.market(tick(SPOT, 3, 39_998, { size: 1, side: 'sell' })))).toEqual(['maker 1@39998']);
    expect(brief(engine.market(tick(SPOT, 4, 39_997, { size: 0.1, side: 'sell' })))).toEqual(['maker 2@39998']);
  });

  it('conservative: whoever leaves stood behind; probabilistic: a part stood before', () => {
    const aheadAfterHalfLeft = (queue: 'conservative' | 'probabilistic') => {
      const { engine, submit } = withBook(queue);
      submit(SPOT, 'buy', '1', limit('39990'));
      // Five stood there; five more come behind, then four leave.
      engine.market(delta(1, [101, 101], [[39_990, 10]]));
      engine.market(delta(2, [102, 102], [[39_990, 6]]));
      return Object.values(engine.state().resting)[0]?.[0]?.queue?.ahead;
    };
    expect(aheadAfterHalfLeft('conservative')).toBe(5);
    // f = b = 5, so p = ½: 5 − ½·4 = 3.
    expect(aheadAfterHalfLeft('probabilistic')).toBe(3);
  });

  it('is filled by the other side as far as it comes to its price', () => {
    const { engine, submit } = withBook();
    submit(SPOT, 'buy', '3', limit('39999'));
    expect(brief(engine.market(delta(1, [101, 101], [], [[39_998.5, 0.7]])))).toEqual(['maker 0.7@39999']);
    expect(engine.market(delta(2, [102, 102], [], [[40_002, 4]]))).toEqual([]);
  });

  it('knows nothing of a queue beyond the levels shown: there only a trade through its price fills it', () => {
    const { engine, submit } = withBook();
    submit(SPOT, 'buy', '1', limit('39000'));
    expect(engine.market(tick(SPOT, 1, 39_000, { size: 50, side: 'sell' }))).toEqual([]);
    expect(brief(engine.market(tick(SPOT, 2, 38_999, { size: 0.1, side: 'sell' })))).toEqual(['maker 1@39000']);
  });

  it.each(['conservative', 'probabilistic'] as const)(
    '%s: is never filled before what stood before it is gone, nor by more than was traded',
    (queue) => {
      const happening = fc.oneof(
        fc.record({ trade: fc.integer({ min: 1, max: 20 }) }),
        fc.record({ size: fc.integer({ min: 0, max: 60 }) }),
      );
      fc.assert(
        fc.property(fc.integer({ min: 1, max: 50 }), fc.array(happening, { maxLength: 60 }), (start, happenings) => {
          const model = createQueueModel({ queue, power: 3, maxAgeMs: 0 });
          const position: QueuePosition = { ahead: start, traded: 0, isKnown: true };
          let [size, traded, filled] = [start, 0, 0];
          for (const each of happenings) {
            const before = position.ahead;
            if ('trade' in each) {
              model.trade(position, each.trade);
              traded += each.trade;
            } else {
              model.depth(position, size, each.size);
              size = each.size;
              // Nobody who comes later gets before it, and a change of the book fills nothing.
              expect(position.ahead).toBeLessThanOrEqual(before);
              expect(position.ahead).toBeGreaterThanOrEqual(0);
            }
            const past = pastTheFront(position);
            if (past > 0) expect('trade' in each ? each.trade : 0).toBeCloseTo(before + past, 9);
            filled += past;
          }
          expect(filled).toBeLessThanOrEqual(traded + 1e-9);
        }),
      );
    },
  );
});

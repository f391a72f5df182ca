import { instrumentForFeed, minuteQuoteVolume } from '@moon/domain';
import { validateEvent, type AnyEvent } from '@moon/events';
import { RowRefused, type ResolveInstrument } from '../formats';
import type { BadRow } from '../row-reader';
import { TestFiles } from '../testing/read-files';
import { isRawRecording } from './raw-lines';
import { RawRecording } from './raw-recording';

const T = 1_723_161_256_000;

const resolve: ResolveInstrument = (venue, symbol) => {
  const found = instrumentForFeed(venue, symbol);
  if (!found) throw new RowRefused('unknown_symbol', `symbol "${symbol}" of ${venue} is not known`);
  return { instrument: found.id, token: found.token, fundingIntervalHours: found.fundingIntervalHours };
};

const delta = (at: number, U: number, u: number, pu: number | undefined, bids: unknown = [['100.0', '1']]) => ({
  stream: 'btcusdt@depth@0ms',
  data: {
    e: 'depthUpdate',
    E: T + at + 1,
    T: T + at,
    s: 'BTCUSDT',
    U,
    u,
    ...(pu === undefined ? {} : { pu }),
    b: bids,
    a: [],
  },
});
const trade = (at: number, t: number, over: Record<string, unknown> = {}) => ({
  stream: 'btcusdt@trade',
  data: { e: 'trade', E: T + at, T: T + at, s: 'BTCUSDT', t, p: '100.5', q: '2', X: 'MARKET', m: false, ...over },
});
const quote = (at: number, u: number, b: string, a: string) => ({
  data: { e: 'bookTicker', u, s: 'BTCUSDT', b, B: '1', a, A: '2', T: T + at, E: T + at },
});

describe('a recorded feed', () => {
  const files = new TestFiles();
  afterAll(() => files.remove());
  let count = 0;

  async function read(messages: readonly unknown[], venue = 'BINANCE-USDM') {
    const lines = messages.map((message) =>
      typeof message === 'string' ? message : `1723161255030314667 ${JSON.stringify(message)}`,
    );
    const path = files.write(`feed-${(count += 1)}.txt.gz`, lines.join('\n'));
    const bad: BadRow[] = [];
    const recording = new RawRecording({
      ...{ path, venue, resolve, minuteVolume: minuteQuoteVolume, headers: { mode: 'recorded' } },
      onBad: (row) => void bad.push(row),
    });
    const events: AnyEvent[] = [];
    for (let batch = await recording.nextBatch(); batch; batch = await recording.nextBatch()) {
      for (const event of batch) events.push(validateEvent(event));
    }
    return { events, bad, report: recording.report };
  }

  it('is told from other files by its first line', async () => {
    const feed = files.write('told.txt', `1723161255030314667 ${JSON.stringify(trade(0, 1))}\n`);
    const candles = files.write('told.csv', 'timestamp_ms,symbol,open,high,low,close,volume\n');
    expect(await Promise.all([feed, candles, files.write('told-empty.txt', '')].map(isRawRecording))).toEqual([
      true,
      false,
      false,
    ]);
    await expect(isRawRecording(`${feed}.gone`)).rejects.toThrow(/is not there/);
  });

  it('becomes books, trades and quotes in the order of the venue’s time', async () => {
    const { events, report } = await read([
      delta(30, 11, 15, 10),
      trade(20, 1),
      { lastUpdateId: 12, E: T + 10, T: T + 10, bids: [['100.0', '3']], asks: [['101.0', '4']] },
      quote(40, 16, '100.0', '101.0'),
      quote(50, 17, '100.0', '101.5'),
      quote(60, 18, '100.0', '101.5'),
    ]);
    expect(events.map(({ type, occurredAt }) => [type, occurredAt - T])).toEqual([
      ['book.snapshot', 10],
      ['price.tick', 20],
      ['book.delta', 30],
      ['price.tick', 40],
      ['price.tick', 40],
      ['price.tick', 50],
    ]);
    expect(events[0]?.data).toMatchObject({ updateId: 12, asks: [{ price: 101, size: 4 }] });
    expect(events[1]?.data).toMatchObject({ kind: 'last', price: 100.5, size: 2, side: 'buy', volume_1m: 201 });
    expect(report).toMatchObject({ lines: 6, refused: 0, outOfOrder: 2, tooLate: 0, events: 6 });
  });

  it('reports where updates are missing, with and without the number of the one before', async () => {
    const { report } = await read([
      delta(0, 1, 5, 0),
      delta(10, 6, 9, 5),
      delta(20, 14, 15, 13),
      delta(30, 16, 17, 15),
    ]);
    expect(report.sequenceGaps).toEqual([
      { instrument: 'BTCUSDT.BINANCE-USDM', from: T + 10, to: T + 20, expected: 9, found: 13 },
    ]);
    const spot = await read(
      [delta(0, 1, 5, undefined), delta(10, 6, 9, undefined), delta(20, 12, 15, undefined)],
      'BINANCE-SPOT',
    );
    expect(spot.report.sequenceGaps).toMatchObject([{ expected: 9, found: 11 }]);
  });

  it('takes a trade and a delta once', async () => {
    const { events, report } = await read([
      trade(0, 7),
      trade(0, 7),
      delta(1, 1, 5, 0),
      delta(1, 1, 5, 0),
      trade(2, 8),
    ]);
    expect(events).toHaveLength(3);
    expect(report.repeats).toBe(2);
  });

  it.each([
    ['bad_timestamp', 'no time {}'],
    ['bad_json', '1723161255030314667 {"a":'],
    ['bad_message', '1723161255030314667 [1]'],
    ['bad_number', trade(0, 1, { p: 'NaN' })],
    ['not_positive', trade(0, 1, { p: '0.0' })],
    ['bad_side', trade(0, 1, { m: 'yes' })],
    ['unknown_symbol', trade(0, 1, { s: 'QQQ' })],
    ['bad_symbol', trade(0, 1, { s: '' })],
    ['bad_number', delta(0, 1, 2, 0, [['100', '-1']])],
    ['bad_message', delta(0, 1, 2, 0, 'all')],
    ['no_symbol', { lastUpdateId: 12, T, bids: [], asks: [] }],
    ['seconds', trade(0, 1, { T: 1_723_161_256 })],
  ])('refuses a line for %s, with its number, and reads on', async (rule, line) => {
    const { bad, events, report } = await read([line, trade(5, 9)]);
    expect(bad.map((one) => [one.rule, one.line])).toEqual([[rule, 1]]);
    expect(report.refusedByReason).toEqual({ [rule]: 1 });
    expect(events).toHaveLength(1);
  });

  it('reads HyperLiquid’s books and trades, each trade once', async () => {
    const told = { coin: 'BTC', px: '105056.0', side: 'B', sz: '0.5', tid: 1, time: T, hash: '0x0', users: [] };
    const level = (px: string) => ({ n: 1, px, sz: '2' });
    const { events, report } = await read(
      [
        { channel: 'subscriptionResponse', data: {} },
        { channel: 'l2Book', data: { coin: 'BTC', time: T, levels: [[level('105055.0')], [level('105056.0')]] } },
        { channel: 'trades', data: [told, { ...told, side: 'A', tid: 2 }] },
        { channel: 'trades', data: [told] },
      ],
      'HYPERLIQUID',
    );
    expect(events.map(({ type }) => type)).toEqual(['book.snapshot', 'price.tick', 'price.tick']);
    expect(events.map(({ data }) => ('side' in data ? data.side : ''))).toEqual(['', 'buy', 'sell']);
    expect(report).toMatchObject({ passedOver: 1, repeats: 1 });
  });
});
